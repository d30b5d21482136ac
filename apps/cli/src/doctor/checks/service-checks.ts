import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { promisify } from "node:util";
import { isAlive, readInstance } from "@openclaw/gateway/instance-file";
import type { Leftover, ServiceStatus } from "@openclaw/service";
import { cleanUpCommand } from "../../service/service-report.ts";
import type { Check, DoctorFacts, ServiceFacts } from "../facts.ts";
import type { DoctorFinding, DoctorSeverity } from "../finding.ts";
import { reinstallGateway } from "../reinstall-gateway.ts";
import { removeLeftover } from "../remove-leftover.ts";

const LOGINCTL_TIMEOUT_MS = 5_000;

/** Codes of the audit of a service, with the words apart as everywhere here. */
const AUDIT_CODES = [
  "gateway-command-missing",
  "gateway-entrypoint-mismatch",
  "gateway-path-missing",
  "gateway-path-missing-dirs",
  "gateway-path-nonminimal",
  "gateway-runtime-bun",
  "gateway-runtime-node-version-manager",
  "gateway-runtime-node-system-missing",
  "service-secret-embedded",
  "launchd-keep-alive",
  "launchd-run-at-load",
  "systemd-after-network-online",
  "systemd-wants-network-online",
  "systemd-restart-sec",
  "definition-unreadable",
];

/** What the service manager was told, by us and by others. */
export const serviceChecks: readonly Check[] = [
  { group: "Service", codes: AUDIT_CODES.map(codeOf), run: auditFindings },
  { group: "Service", codes: ["service.config_mismatch"], run: configMismatch },
  { group: "Service", codes: ["service.not_running"], run: notRunning },
  { group: "Service", codes: ["service.linger_off"], run: lingerOff },
  { group: "Service", codes: ["service.leftover", "service.leftover_secret"], run: leftovers },
];

function codeOf(auditCode: string): string {
  return `service.${auditCode.replace(/^service-/u, "").replaceAll("-", "_")}`;
}

/** The service of this command line; none in remote mode, where this machine runs no Gateway. */
async function ownService(facts: DoctorFacts): Promise<ServiceFacts | undefined> {
  if (facts.mode === "remote") return undefined;
  const services = await facts.services();
  if (services === undefined || services.service.foreign !== undefined) return undefined;
  const { command, configAudit } = services.status;
  return command === null && configAudit.ok ? undefined : services;
}

async function auditFindings(facts: DoctorFacts): Promise<DoctorFinding[]> {
  return [...(await gatewayFindings(facts)), ...(await nodeFindings(facts))];
}

/** What is wrong with the service of a node on this machine; also where its Gateway is elsewhere. */
async function nodeFindings(facts: DoctorFacts): Promise<DoctorFinding[]> {
  const services = await facts.services();
  if (services === undefined || services.service.foreign !== undefined) return [];
  const { profile } = services.service.ref;
  const nodes = (await services.manager.list("node")).filter(({ ref }) => ref.profile === profile);
  return nodes.flatMap(({ ref, status }) =>
    status.configAudit.issues.map(({ code, message, detail }) => ({
      code: codeOf(code),
      severity: severityOf(code),
      title: message.replace(/\.$/u, ""),
      evidence: [services.manager.definitionPath(ref), ...(detail === undefined ? [] : [detail])],
      fix: facts.context.commandLine("node install --force"),
    })),
  );
}

async function gatewayFindings(facts: DoctorFacts): Promise<DoctorFinding[]> {
  const services = await ownService(facts);
  if (services === undefined) return [];
  const { status, manager, service } = services;
  const path = status.command?.sourcePath ?? manager.definitionPath(service.ref);
  const isByHand = status.configAudit.issues.some(({ level }) => level === "aggressive");
  return status.configAudit.issues.map(({ code, message, detail }) => ({
    code: codeOf(code),
    severity: severityOf(code),
    title: message.replace(/\.$/u, ""),
    evidence: [path, ...(detail === undefined ? [] : [detail])],
    fix: facts.context.commandLine("gateway install --force"),
    repair: reinstallGateway(facts, services, { path, isForceful: isByHand }),
  }));
}

function severityOf(code: string): DoctorSeverity {
  return code === "gateway-command-missing" || code === "definition-unreadable" ? "error" : "warn";
}

async function configMismatch(facts: DoctorFacts): Promise<DoctorFinding[]> {
  const services = await ownService(facts);
  const path = services?.status.command?.environment["OPENCLAW_CONFIG_PATH"];
  const { configPath } = facts.context.paths;
  if (path === undefined || path === configPath) return [];
  return [
    {
      code: "service.config_mismatch",
      severity: "warn",
      title: "The service reads another config file than your commands",
      evidence: [`service: ${path}`, `commands: ${configPath}`],
      fix: facts.context.commandLine("gateway install --force"),
    },
  ];
}

async function notRunning(facts: DoctorFacts): Promise<DoctorFinding[]> {
  const services = await ownService(facts);
  if (services === undefined) return [];
  const { command, runtime, label } = services.status;
  if (command === null || runtime.status !== "stopped") return [];
  return [
    {
      code: "service.not_running",
      severity: "warn",
      title: "The service is installed, and does not run",
      evidence: [label, ...lastExit(runtime)],
      fix: facts.context.commandLine("gateway restart"),
    },
  ];
}

function lastExit({ lastExitStatus, lastExitReason }: ServiceStatus["runtime"]): string[] {
  if (lastExitStatus === undefined) return [];
  const why = lastExitReason === undefined ? "" : ` (${lastExitReason})`;
  return [`it ended with ${lastExitStatus}${why}; its log says why`];
}

/** Without it the services of a user end with the last login. */
async function lingerOff(facts: DoctorFacts): Promise<DoctorFinding[]> {
  if (facts.machine.platform !== "linux") return [];
  const services = await ownService(facts);
  if (services === undefined || services.status.command === null) return [];
  const { username } = userInfo();
  const answer = await lingerAnswer(username, facts.context.env);
  if (!/^Linger=no$/mu.test(answer)) return [];
  return [
    {
      code: "service.linger_off",
      severity: "warn",
      title: `The service stops when ${username} logs out`,
      evidence: [`loginctl show-user ${username}: Linger=no`],
      fix: `sudo loginctl enable-linger ${username}`,
    },
  ];
}

async function lingerAnswer(username: string, env: DoctorFacts["env"]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(
      "loginctl",
      ["show-user", username, "-p", "Linger"],
      { env: { ...env, LC_ALL: "C" }, timeout: LOGINCTL_TIMEOUT_MS },
    );
    return stdout;
  } catch {
    // No such program, or a user who is not logged in: nothing is known.
    return "";
  }
}

async function leftovers(facts: DoctorFacts): Promise<DoctorFinding[]> {
  const services = await facts.services();
  if (services === undefined) return [];
  return services.leftovers
    .filter(({ kind }) => kind !== "tunnel")
    .flatMap((leftover) => [
      ...(runsOurs(facts, leftover) ? [] : [leftoverFinding(services, leftover)]),
      ...secretFinding(facts, leftover),
    ]);
}

/** A finding about a definition that an earlier release or a tutorial has left. */
export function leftoverFinding(services: ServiceFacts, leftover: Leftover): DoctorFinding {
  const { kind, label, path, reason, scope, recommendation } = leftover;
  const isOurs = scope === "user" && recommendation !== "report";
  return {
    code: kind === "tunnel" ? "tunnel.leftover" : "service.leftover",
    severity: "warn",
    title: `A ${kind} service is left from somewhere else: ${label}`,
    evidence: [path, reason],
    fix: cleanUpCommand(leftover),
    ...(isOurs ? { repair: removeLeftover(services, leftover) } : {}),
  };
}

function secretFinding(
  { context }: DoctorFacts,
  { secrets, path, scope }: Leftover,
): DoctorFinding[] {
  if (secrets.length === 0) return [];
  return [
    {
      code: "service.leftover_secret",
      severity: "warn",
      title: "A service file holds a secret, which outlives a change of it",
      evidence: [path, `it sets ${secrets.join(", ")}`],
      fix: `Move the secret into the config (${context.commandLine("config set gateway.auth.token --value-file -")}), and take the line out of the file${scope === "system" ? " with sudo" : ""}.`,
    },
  ];
}

/** The tutorial's own unit runs this very program: then it is no rival of anything. */
function runsOurs({ context, machine }: DoctorFacts, { label, kind }: Leftover): boolean {
  if (machine.platform !== "linux" || kind !== "gateway") return false;
  const instance = readInstance(context.paths.stateDir);
  if (instance === undefined || !isAlive(instance.pid)) return false;
  try {
    const cgroup = readFileSync(`/proc/${instance.pid}/cgroup`, "utf8");
    return cgroup.split(/[/\n]/u).includes(label);
  } catch {
    return false;
  }
}
