import { defineConfig } from "tsup";
import { app, DISCOVERY_HELPER } from "../../tooling/tsup/app.ts";

export default defineConfig(
  app({
    programs: DISCOVERY_HELPER,
    separate: [
      "src/commands/gateway-run.ts",
      "src/doctor/run-doctor.ts",
      "src/nodes/node-agent.ts",
      "src/program/parse-with-commander.ts",
      "src/gateway/ask-person.ts",
      "config/src/schema/validate.ts",
      "app-kit/src/way/ssh-way.ts",
      "exposure/src/tls/issue-certificate.ts",
      "src/commands/doctor-connect.ts",
      "src/onboard/prompter.ts",
      "src/pairing/draw-qr.ts",
    ],
  }),
);
