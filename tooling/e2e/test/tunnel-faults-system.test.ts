import { faultSuite } from "../src/tunnel/fault-suite.ts";

// ssh counts its keepalives in whole seconds.
faultSuite({ engine: "system", rounds: 40, keepaliveIntervalMs: 1_000, keepaliveCountMax: 1 });
