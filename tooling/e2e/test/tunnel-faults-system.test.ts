import { faultSuite } from "../src/tunnel/fault-suite.ts";

// ssh counts its keepalives in whole seconds, and gives up after the second one without an answer.
faultSuite({
  engine: "system",
  rounds: 40,
  keepaliveIntervalMs: 1_000,
  keepaliveCountMax: 1,
  noticeMs: 2_000,
});
