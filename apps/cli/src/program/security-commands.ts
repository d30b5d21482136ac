import type { CommandSpec } from "./command-spec.ts";
import { JSON_OPTION } from "./common-options.ts";

export const securityCommands: CommandSpec = {
  name: "security",
  summary: "look for what a stranger could use",
  examples: [{ command: "security audit", says: "everything that the config and its files tell" }],
  commands: [
    {
      name: "audit",
      summary: "check config, files and exposure, the worst first",
      description:
        "Reads the config of this machine, the modes of its files and what is installed, and says what weakens them, each with a stable name and a cure. Findings are data: the exit code is 0. --fix changes only what can be undone, and never bind, authentication or Tailscale.",
      examples: [
        { command: "security audit", says: "config and files" },
        { command: "security audit --deep", says: "and one connection to the Gateway" },
        { command: "security audit --fix", says: "file modes, logs and open groups" },
        { command: "security audit --json", says: "for a scheduled job" },
      ],
      options: [
        { name: "deep", kind: "flag", description: "Connect to the configured Gateway as well" },
        { name: "fix", kind: "flag", description: "Mend file modes, logs and open groups first" },
        {
          name: "token",
          kind: "text",
          value: "token",
          description: "Shared token of the Gateway, for --deep",
        },
        {
          name: "password",
          kind: "text",
          value: "password",
          description: "Shared password of the Gateway, for --deep",
        },
        JSON_OPTION,
      ],
      toleratesBrokenConfig: true,
      load: () => import("../commands/security-audit.ts"),
    },
  ],
};
