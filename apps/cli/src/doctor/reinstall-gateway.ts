import { existsSync } from "node:fs";
import { editConfigFile, type ConfigEdit } from "@openclaw/config";
import type { ParsedService, Supervisor } from "@openclaw/service";
import { shellWord } from "../config/shell-word.ts";
import type { CommandContext } from "../program/command-context.ts";
import { textAt } from "../security/audit-facts.ts";
import { portOfService } from "../service/service-state.ts";
import type { DoctorFacts, ServiceFacts } from "./facts.ts";
import type { Repair } from "./finding.ts";
import { copyBack, keepCopy } from "./keep-file.ts";

/** Variables with which earlier releases wrote secrets into a definition, and the keys they belong to. */
const SECRETS = [
  ["TOKEN", "gateway.auth.token"],
  ["PASSWORD", "gateway.auth.password"],
] as const;

export interface ReinstallOptions {
  /** The definition. */
  readonly path: string;
  readonly isForceful: boolean;
}

/**
 * Writes the definition of our service anew, with the port and the runtime that it has. A secret in it
 * goes into the config first, where the config has none: clients go on getting in with it.
 */
export function reinstallGateway(
  facts: DoctorFacts,
  services: ServiceFacts,
  { path, isForceful }: ReinstallOptions,
): Repair {
  const { context } = facts;
  return {
    key: `reinstall ${path}`,
    question: `Write ${path} anew, and start the Gateway again?`,
    isForceful,
    async apply() {
      const kept = await keepCopy(path);
      const backups = await moveSecrets(facts, services.definition);
      await install(context, services);
      const restart = restartCommand(services);
      return {
        did: `Wrote ${path} anew, and started it again${backups.length === 0 ? "" : "; its secret is in the config now"}.`,
        undo: [copyBack(kept, path), ...backups, ...restart].join(" && "),
      };
    },
  };
}

/** @returns the commands that take the change of the config back. */
async function moveSecrets(
  { context, config, env }: DoctorFacts,
  definition: ParsedService | undefined,
): Promise<string[]> {
  const hasSecret = SECRETS.some(([, key]) => textAt(config, key) !== undefined);
  if (definition === undefined || hasSecret) return [];
  const edits = SECRETS.flatMap(([suffix, path]): ConfigEdit[] => {
    const names = ["OPENCLAW", "CLAWDBOT", "MOLTBOT"].map((name) => `${name}_GATEWAY_${suffix}`);
    const value = names.map((name) => definition.environment[name]).find(Boolean);
    // Written as it is, and not as a reference to a variable.
    return value === undefined ? [] : [{ path, value: value.replaceAll("${", "$${") }];
  });
  if (edits.length === 0) return [];
  const { configPath } = context.paths;
  const { path, backupPath } = await editConfigFile(configPath, edits, { env });
  return backupPath === undefined ? [`rm ${shellWord(path)}`] : [copyBack(backupPath, path)];
}

async function install(context: CommandContext, services: ServiceFacts): Promise<void> {
  const words = services.definition?.programArguments ?? [];
  const { status, service } = services;
  const port = portOfService({ status, leftovers: [], isMeant: service.foreign === undefined });
  const heard: string[] = [];
  const listen = { ...context.io.stderr, write: (text: string) => void heard.push(text.trim()) };
  const quiet: CommandContext = {
    ...context,
    io: { ...context.io, stderr: listen },
    json: false,
    text: (name) => {
      if (name === "port") return port === undefined ? undefined : String(port);
      return name === "runtime-path" ? keptRuntime(words[0], status) : undefined;
    },
    integer: () => undefined,
    list: () => [],
    flag: (name) =>
      name === "force" || (name === "allow-unconfigured" && words.includes("--allow-unconfigured")),
    // The report of the doctor is the answer here.
    answer: () => undefined,
    say: (line) => void heard.push(line),
  };
  const { run } = await import("../commands/gateway-install.ts");
  if ((await run(quiet)) !== 0) throw new Error(heard.join(" ") || "it was not installed");
}

/** The Node that it runs on, unless that is what is wrong with it. */
function keptRuntime(
  program: string | undefined,
  { configAudit }: ServiceFacts["status"],
): string | undefined {
  const isFaulty = configAudit.issues.some(({ code }) => code.startsWith("gateway-runtime"));
  const isUsable = program?.startsWith("/") === true && existsSync(program);
  return isUsable && !isFaulty ? program : undefined;
}

function restartCommand({ manager, service }: ServiceFacts): string[] {
  const label = manager.label(service.ref);
  const commands: Readonly<Record<Supervisor, readonly string[]>> = {
    systemd: ["systemctl --user daemon-reload", `systemctl --user restart ${label}`],
    launchd: [`launchctl kickstart -k gui/$UID/${label}`],
    schtasks: [`schtasks /Run /TN "${label}"`],
  };
  return [...commands[manager.supervisor]];
}
