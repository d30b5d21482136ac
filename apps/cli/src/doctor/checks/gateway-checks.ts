import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { safeText } from "@openclaw/app-kit";
import {
  DEFAULT_PORT,
  DEV_GATEWAY_PORT,
  editConfigFile,
  isLoopbackHost,
  readConfigLoosely,
  resolveServerAuth,
} from "@openclaw/config";
import { findNeighbours, type Neighbour, neighbourWarnings } from "@openclaw/gateway/inspect";
import { isAlive, readInstance } from "@openclaw/gateway/instance-file";
import {
  describeHolder,
  findPortHolders,
  holderKind,
  type PortHolder,
} from "@openclaw/gateway/port-holder";
import { placeOf } from "../../gateway/choose-gateway.ts";
import { at, listAt, textAt } from "../../security/audit-facts.ts";
import type { Check, DoctorFacts, GatewayLook } from "../facts.ts";
import type { DoctorFinding } from "../finding.ts";
import { copyBack } from "../keep-file.ts";

/** Two clocks this far apart are told; the protocol itself does not mind. */
const CLOCK_SKEW_MS = 120_000;
const TOKEN_BYTES = 24;

/** Whether the Gateway starts, where it listens, and whether it answers. */
export const gatewayChecks: readonly Check[] = [
  { group: "Gateway", codes: ["gateway.no_secret", "gateway.auth_refused"], run: serverAuth },
  { group: "Gateway", codes: ["gateway.port_taken"], run: portTaken },
  { group: "Gateway", codes: ["gateway.port_neighbour"], run: portNeighbours },
  { group: "Gateway", codes: ["gateway.not_running", "gateway.unreachable"], run: reachability },
  { group: "Gateway", codes: ["gateway.proxy_untrusted"], run: untrustedProxy },
  { group: "Gateway", codes: ["gateway.clock_skew"], run: clockSkew },
];

/** A Gateway belongs here, and its config can be judged. */
function isLocal({ loaded, mode }: DoctorFacts): boolean {
  return loaded.ok && loaded.exists && mode === "local";
}

function serverAuth(facts: DoctorFacts): DoctorFinding[] {
  const { loaded, context, config } = facts;
  if (!isLocal(facts) || !loaded.ok) return [];
  const decision = resolveServerAuth({
    env: loaded.env,
    config: loaded.config,
    unresolved: loaded.unresolved,
  });
  if (decision.ok && decision.source !== "generated") return [];
  const isReference = loaded.unresolved.some(({ path }) => path.startsWith("gateway.auth."));
  const wantsToken = (textAt(config, "gateway.auth.mode") ?? "token") === "token";
  if (!decision.ok && (isReference || !wantsToken)) {
    const { id, message, hint } = decision.refusal;
    return [
      {
        code: "gateway.auth_refused",
        severity: "error",
        title: "The Gateway does not start with this authentication",
        evidence: [`${message} (${id})`],
        fix: hint,
      },
    ];
  }
  return [
    {
      code: "gateway.no_secret",
      severity: decision.ok ? "warn" : "error",
      title: decision.ok
        ? "The Gateway has no secret of its own, and makes another one for each run"
        : "The Gateway has no secret, and does not start",
      evidence: decision.ok ? decision.warnings : [decision.refusal.message, decision.refusal.hint],
      fix: context.commandLine("doctor --generate-gateway-token"),
      repair: {
        question: `Write a random token to ${context.paths.configPath} as gateway.auth.token?`,
        needsFlag: "generate-gateway-token",
        async apply() {
          const { path, backupPath } = await editConfigFile(
            context.paths.configPath,
            [
              { path: "gateway.auth.mode", value: "token" },
              { path: "gateway.auth.token", value: randomBytes(TOKEN_BYTES).toString("hex") },
            ],
            { env: facts.env },
          );
          if (backupPath === undefined) throw new Error(`${path} was changed meanwhile`);
          return {
            did: `Wrote a random token to ${path}; it was not shown.`,
            undo: copyBack(backupPath, path),
          };
        },
      },
    },
  ];
}

async function portTaken(facts: DoctorFacts): Promise<DoctorFinding[]> {
  if (!isLocal(facts)) return [];
  const { probe } = await facts.gateway();
  // Whoever answers as a Gateway is one, even if it lets us in only later.
  if (probe?.ok === true || isAnswer(probe?.failure?.type)) return [];
  const holders = await findPortHolders(facts.port);
  if (holders.length === 0) return [];
  return [
    {
      code: "gateway.port_taken",
      severity: "error",
      title: `Port ${facts.port} is held by something that is not this Gateway`,
      evidence: holders.map((holder) => safeText(describeHolder(holder))),
      fix: portCure(facts, holders),
    },
  ];
}

function isAnswer(type: string | undefined): boolean {
  return type === "gateway_auth_error" || type === "gateway_pairing_required";
}

/** Never to kill by port: it may be one's own Gateway, or somebody's tunnel. */
function portCure({ context, port }: DoctorFacts, holders: readonly PortHolder[]): string {
  const other = `give the Gateway another port: ${context.commandLine(`config set gateway.port ${port + 100}`)}`;
  const [holder] = holders;
  const kind = holder === undefined ? "unknown" : holderKind(holder);
  if (kind === "ssh") return `Close that tunnel, or give its -L another local port; else ${other}`;
  if (kind === "gateway") {
    return `Stop that Gateway where it was started (a service: ${context.commandLine("gateway stop")}), or ${other}`;
  }
  return `Stop that program if it is yours; else ${other}`;
}

async function portNeighbours(facts: DoctorFacts): Promise<DoctorFinding[]> {
  if (!isLocal(facts)) return [];
  const { paths, commandLine } = facts.context;
  const running = findNeighbours(paths.home, paths.stateDir);
  const configured = await configuredNeighbours(facts, running);
  const neighbours = [...running, ...configured];
  const lines = [
    ...neighbours
      .filter(({ port }) => port === facts.port)
      .map(({ stateDir, port }) => `the profile in ${stateDir} has port ${port} as well`),
    ...neighbourWarnings(facts.port, neighbours),
  ];
  return lines.map((line) => ({
    code: "gateway.port_neighbour",
    severity: "warn",
    title: "Two Gateways of this machine are in each other's way",
    evidence: [line],
    fix: commandLine(`config set gateway.port ${freePortFor(facts.port, neighbours)}`),
  }));
}

/** Profiles that are to run a Gateway and do not do so now. */
async function configuredNeighbours(
  { context, loose }: DoctorFacts,
  running: readonly Neighbour[],
): Promise<Neighbour[]> {
  const { home, stateDir } = context.paths;
  const folders = (await readdir(home).catch((): string[] => []))
    .filter((name) => /^\.openclaw(?:-[a-z0-9][a-z0-9_-]*)?$/iu.test(name))
    .map((name) => join(home, name))
    .filter((folder) => folder !== stateDir && !running.some((one) => one.stateDir === folder));
  const found = await Promise.all(
    folders.map(async (folder) => {
      const path = join(folder, "openclaw.json");
      if (path === loose.path || !existsSync(path)) return [];
      const { config } = await readConfigLoosely({ path, env: {} });
      if (textAt(config, "gateway.mode") !== "local") return [];
      const port = at(config, "gateway.port");
      const usual = folder.endsWith(".openclaw-dev") ? DEV_GATEWAY_PORT : DEFAULT_PORT;
      return [{ stateDir: folder, pid: 0, port: typeof port === "number" ? port : usual }];
    }),
  );
  return found.flat();
}

function freePortFor(port: number, neighbours: readonly Neighbour[]): number {
  const isFar = (candidate: number): boolean =>
    neighbours.every((other) => Math.abs(other.port - candidate) >= 20);
  const candidates = Array.from({ length: 100 }, (_, index) => port + 20 * (index + 1));
  return candidates.find((candidate) => candidate < 65_000 && isFar(candidate)) ?? DEFAULT_PORT;
}

async function reachability(facts: DoctorFacts): Promise<DoctorFinding[]> {
  const { loose, context, mode } = facts;
  const isElsewhere = mode === "remote" || context.env["OPENCLAW_GATEWAY_URL"] !== undefined;
  if (!isElsewhere && (!loose.exists || mode !== "local")) return [];
  const look = await facts.gateway();
  if (look.probe?.ok === true) return [];
  if (isElsewhere) return [await unreachable(facts, look)];
  const instance = readInstance(context.paths.stateDir);
  const isRunning = instance !== undefined && isAlive(instance.pid);
  const isHeld = (await findPortHolders(facts.port)).length > 0;
  if (isAnswer(look.probe?.failure?.type) || isRunning) return [await unreachable(facts, look)];
  // Who holds the port is told by a check of its own.
  if (isHeld) return [];
  const isInstalled = (await facts.services())?.status.command != null;
  return [
    {
      code: "gateway.not_running",
      severity: "warn",
      title: "No Gateway runs on this machine",
      evidence: [`nobody listens on port ${facts.port}`],
      fix: context.commandLine(isInstalled ? "gateway restart" : "gateway install"),
    },
  ];
}

async function unreachable(facts: DoctorFacts, look: GatewayLook): Promise<DoctorFinding> {
  const { chosen, error, probe } = look;
  const target = chosen?.target;
  return {
    code: "gateway.unreachable",
    severity: "error",
    title: "The Gateway does not let this machine in",
    evidence: [
      ...(target === undefined ? [] : [`${placeOf(target)} (${target.urlSource})`]),
      safeText(error ?? "no answer"),
      ...(probe?.failure?.hints.slice(0, 1).map((hint) => safeText(hint)) ?? []),
      ...(await whereToLook(facts, look)),
    ],
    fix: facts.context.commandLine("doctor connect"),
  };
}

/** Which of the two machines to look at. */
async function whereToLook({ mode }: DoctorFacts, { chosen }: GatewayLook): Promise<string[]> {
  if (mode !== "remote" || chosen === undefined || !URL.canParse(chosen.target.url)) return [];
  const { url, via } = chosen.target;
  const { hostname, port } = new URL(url);
  if (via !== undefined) return [`look at ${via.target}: openclaw gateway status`];
  if (!isLoopbackHost(hostname)) {
    return [
      `look at ${hostname}: openclaw gateway status`,
      "where gateway.bind is loopback there, nothing listens on that address",
    ];
  }
  const holders = await findPortHolders(Number(port));
  return holders.length === 0
    ? [`this is a port of this machine, where a tunnel should listen; nobody does on ${port}`]
    : holders.map((holder) => `port ${port} is held by ${safeText(describeHolder(holder))}`);
}

/** A page that comes from an https origin, where neither this Gateway nor Tailscale speaks TLS. */
function untrustedProxy(facts: DoctorFacts): DoctorFinding[] {
  const { config, context } = facts;
  if (!isLocal(facts) || listAt(config, "gateway.trustedProxies").length > 0) return [];
  const hasOwnTls = at(config, "gateway.tls.enabled") === true;
  const tailscale = textAt(config, "gateway.tailscale.mode") ?? "off";
  const origins = listAt(config, "gateway.controlUi.allowedOrigins").filter((origin) =>
    /^https:\/\/(?!localhost|127\.|\[::1\])/u.test(origin),
  );
  if (hasOwnTls || tailscale !== "off" || origins.length === 0) return [];
  return [
    {
      code: "gateway.proxy_untrusted",
      severity: "warn",
      title: "A proxy seems to stand in front, and the Gateway does not trust it",
      evidence: [
        `gateway.controlUi.allowedOrigins has ${origins.join(", ")}, while the Gateway itself speaks no TLS`,
        "gateway.trustedProxies is empty: what it forwards is refused, and everybody has its address",
      ],
      fix: context.commandLine(`config set gateway.trustedProxies '["127.0.0.1"]'`),
    },
  ];
}

async function clockSkew(facts: DoctorFacts): Promise<DoctorFinding[]> {
  if (facts.mode === undefined) return [];
  const { probe, atMs } = await facts.gateway();
  const theirs = probe?.health?.ts;
  if (typeof theirs !== "number" || Math.abs(theirs - atMs) < CLOCK_SKEW_MS) return [];
  return [
    {
      code: "gateway.clock_skew",
      severity: "info",
      title: "The clocks of this machine and of the Gateway differ",
      evidence: [`here ${new Date(atMs).toISOString()}, there ${safeText(timeText(theirs))}`],
      fix: "Turn on time synchronisation where the clock is wrong; connections work all the same.",
    },
  ];
}

function timeText(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}
