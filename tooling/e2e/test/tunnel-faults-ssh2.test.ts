import { faultSuite } from "../src/tunnel/fault-suite.ts";

faultSuite({
  engine: "ssh2",
  rounds: 100,
  keepaliveIntervalMs: 300,
  keepaliveCountMax: 2,
  noticeMs: 0,
});
