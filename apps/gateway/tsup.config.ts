import { defineConfig } from "tsup";
import { app, DISCOVERY_HELPER } from "../../tooling/tsup/app.ts";

export default defineConfig(
  app({ programs: DISCOVERY_HELPER, separate: ["exposure/src/tls/issue-certificate.ts"] }),
);
