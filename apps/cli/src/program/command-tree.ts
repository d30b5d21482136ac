import type { CommandSpec } from "./command-spec.ts";
import { configCommands } from "./config-commands.ts";
import { dashboardCommand } from "./dashboard-command.ts";
import { devicesCommands } from "./devices-commands.ts";
import { doctorCommands } from "./doctor-commands.ts";
import { gatewayCommands, healthTopCommand, statusTopCommand } from "./gateway-commands.ts";
import { logsCommand } from "./logs-commands.ts";
import { nodeCommands } from "./node-commands.ts";
import { nodesCommands } from "./nodes-commands.ts";
import { configureCommand, onboardCommand, setupCommand } from "./onboard-commands.ts";
import { connectCommand, qrCommand } from "./pairing-commands.ts";
import { remoteCommands } from "./remote-commands.ts";
import { securityCommands } from "./security-commands.ts";
import { tunnelCommands } from "./tunnel-commands.ts";

const completionCommand: CommandSpec = {
  name: "completion",
  summary: "print a completion script for your shell",
  examples: [
    {
      command: "completion --shell bash > ~/.local/share/bash-completion/completions/openclaw",
      says: "bash",
    },
    { command: "completion --shell zsh > ~/.zfunc/_openclaw", says: "zsh, with ~/.zfunc in fpath" },
    { command: "completion --shell fish > ~/.config/fish/completions/openclaw.fish", says: "fish" },
    { command: "completion --shell powershell >> $PROFILE", says: "PowerShell" },
  ],
  options: [
    {
      name: "shell",
      kind: "text",
      short: "s",
      value: "shell",
      choices: ["zsh", "bash", "fish", "powershell"],
      description: "Which shell; else the one in SHELL",
    },
  ],
  toleratesBrokenConfig: true,
  hidesBanner: true,
  load: () => import("../commands/completion.ts"),
};

/** Every command there is; parser, help and completion read this table. */
export const commandTree: CommandSpec = {
  name: "openclaw",
  summary: "run a Gateway, pair devices, run commands on nodes",
  examples: [
    { command: "gateway run --token <token>", says: "a Gateway on this machine" },
    { command: "node run", says: "this machine as a node of it" },
    { command: "devices approve", says: "let the node in" },
    { command: "nodes run --node <name> -- uname -a", says: "run something on it" },
  ],
  options: [
    {
      name: "profile",
      kind: "text",
      value: "name",
      description: "Another state directory and config; stands first",
    },
    { name: "dev", kind: "flag", description: "The profile dev, with port 19001; stands first" },
    {
      name: "log-level",
      kind: "text",
      value: "level",
      description: "silent, error, warn, info or debug",
    },
    { name: "no-color", kind: "flag", description: "No colours" },
    { name: "version", kind: "flag", short: "V", description: "Print the version" },
  ],
  commands: [
    onboardCommand,
    setupCommand,
    configureCommand,
    configCommands,
    gatewayCommands,
    nodeCommands,
    nodesCommands,
    devicesCommands,
    qrCommand,
    connectCommand,
    remoteCommands,
    tunnelCommands,
    doctorCommands,
    securityCommands,
    healthTopCommand,
    statusTopCommand,
    logsCommand,
    dashboardCommand,
    completionCommand,
  ],
};
