import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import {
  closeInTime,
  createLogger,
  hasCode,
  listenForStop,
  type Logger,
  logLevelFrom,
  messageOf,
  type ProgramIo,
  runTokenPath,
  writeRunToken,
} from "@openclaw/app-kit";
import { type Env, loadConfig, type Paths } from "@openclaw/config";
import {
  createGateway,
  createSqliteStore,
  type Gateway,
  GatewayStartError,
} from "@openclaw/gateway-core";
import { instancePath, isAlive, readInstance, writeInstance } from "./instance-file.ts";
import { listenEverywhere, type Listening } from "./listen-everywhere.ts";
import { describeHolder, findPortHolders, holderHint } from "./port-holder.ts";
import { quietSqlite } from "./quiet-sqlite.ts";
import {
  type GatewayRunFlags,
  planStart,
  type StartPlan,
  type StartRefusal,
} from "./start-plan.ts";
import { VERSION } from "./version.ts";

export interface RunGatewayInput {
  flags: GatewayRunFlags;
  io: ProgramIo;
  /** The environment that counts, when profile or `.env` files added to `io.env`. @default io.env */
  env?: Env;
  paths: Paths;
  /** How the user called this, for hints. @default "openclaw gateway run" */
  command?: string;
  /** Stops the Gateway as a first signal does. */
  signal?: AbortSignal;
  /** Called once the Gateway answers, with its address. */
  onReady?: (address: { url: string; port: number }) => void;
}

/** A close that takes longer than this is cut short. */
const CLOSE_TIMEOUT_MS = 5_000;

/**
 * Runs a Gateway in the foreground until a stop signal. Returns the exit code: 0 after a signal, 78
 * when configuration is in the way, 1 otherwise.
 */
export async function runGateway(input: RunGatewayInput): Promise<number> {
  const { io, paths, command = "openclaw gateway run" } = input;
  const env = input.env ?? io.env;
  const flags = readPasswordFile(input.flags);
  if ("refusal" in flags) return tell(io, flags.refusal);

  const loaded = await loadConfig({ path: paths.configPath, env });
  const decision = planStart({ flags, env, paths, loaded, command });
  if (!decision.ok) return tell(io, decision.refusal);
  const { plan } = decision;
  const log = createLogger(io.stderr, {
    level: logLevelFrom(env["OPENCLAW_LOG_LEVEL"], flags.verbose === true),
    format: io.stderr.isTTY === true ? "text" : "json",
    secrets: [secretOf(plan)],
  });
  for (const warning of plan.warnings) log.warn({}, warning);
  const logger = io.stderr.isTTY === true ? log : log.child({ pid: process.pid });

  io.stdout.write("🚀 Gateway starting...\n");
  const opened = openGateway(plan, paths.stateDir, logger);
  if ("refusal" in opened) return tell(io, opened.refusal);
  const { gateway } = opened;
  let listening: Listening;
  try {
    listening = await listenEverywhere(gateway, plan);
  } catch (error) {
    await gateway.close();
    return tell(io, await refusedListen(error, plan));
  }
  return serve({ ...input, plan, listening, logger });
}

interface Serving extends RunGatewayInput {
  plan: StartPlan;
  listening: Listening;
  logger: Logger;
}

async function serve(serving: Serving): Promise<number> {
  const { io, plan, listening, logger, paths } = serving;
  const { port, urls } = listening;
  const url = urls[0] ?? `ws://127.0.0.1:${port}`;
  // Listened for before anyone is told that the Gateway is ready.
  const stop = listenForStop(io, serving.signal);

  const cleanUps = [
    writeInstance(paths.stateDir, {
      pid: process.pid,
      port,
      url,
      version: VERSION,
      startedAtMs: Date.now(),
    }),
  ];
  if (plan.isRunOnlySecret && plan.auth.mode === "token") {
    cleanUps.push(
      writeRunToken(paths.stateDir, { token: plan.auth.token, port, pid: process.pid }),
    );
    logger.info(
      { path: runTokenPath(paths.stateDir) },
      "commands on this host find the run's secret here",
    );
  }
  for (const listeningUrl of urls) io.stdout.write(`📡 WebSocket: ${listeningUrl}\n`);
  io.stdout.write(`🔒 Auth mode: ${plan.auth.mode}\n`);
  if (io.stderr.isTTY === true) io.stderr.write("Stop it with Ctrl-C.\n");
  serving.onReady?.({ url, port });

  const reason = await stop.requested;
  logger.info({ reason }, "gateway stopping");
  try {
    await closeInTime(() => listening.close(), {
      io,
      timeoutMs: CLOSE_TIMEOUT_MS,
      onTimeout: () =>
        logger.error({ timeoutMs: CLOSE_TIMEOUT_MS }, "gateway did not close in time"),
    });
  } finally {
    for (const cleanUp of cleanUps) cleanUp();
    stop.release();
  }
  return 0;
}

function openGateway(
  plan: StartPlan,
  stateDir: string,
  logger: Logger,
): { gateway: Gateway } | { refusal: StartRefusal } {
  try {
    quietSqlite(process);
    const store = createSqliteStore({ directory: join(stateDir, "gateway"), ledger: plan.ledger });
    const gateway = createGateway({
      auth: plan.auth,
      store,
      serverVersion: VERSION,
      nodes: {
        commands: plan.commands,
        pairing: { autoApproveLocal: plan.autoApproveLocal },
      },
      allowedOrigins: plan.allowedOrigins,
      logger,
    });
    return { gateway };
  } catch (error) {
    return { refusal: refusedOpen(error, stateDir) };
  }
}

function refusedOpen(error: unknown, stateDir: string): StartRefusal {
  const isLocked = hasCode(error, "STORE_LOCKED") || hasCode(error, "LOCKED");
  if (isLocked) {
    const instance = readInstance(stateDir);
    const isRunning = instance !== undefined && isAlive(instance.pid);
    const who = isRunning ? ` (pid ${instance.pid}, port ${instance.port})` : "";
    return {
      id: "R11",
      message: `a Gateway already runs with the state in ${stateDir}${who}`,
      hints: [
        isRunning
          ? `Stop it (kill ${instance.pid}), or look at it: openclaw gateway status`
          : `Stop it; ${instancePath(stateDir)} names the last one.`,
        "A second Gateway on one host needs its own profile and port: openclaw --profile <name> gateway run --port <port>",
      ],
      exitCode: 78,
    };
  }
  const message = messageOf(error);
  const hint = error instanceof GatewayStartError ? error.hint : undefined;
  return {
    id: "state",
    message: `the state in ${stateDir} cannot be used: ${message}`,
    hints: hint === undefined ? [] : [hint],
    exitCode: hasCode(error, "OPTIONS_INVALID") ? 78 : 1,
  };
}

async function refusedListen(error: unknown, plan: StartPlan): Promise<StartRefusal> {
  const message = messageOf(error);
  if (hasCode(error, "PORT_IN_USE") || hasCode(error, "EADDRINUSE")) {
    const holders = await findPortHolders(plan.port);
    const names = holders.map(describeHolder);
    return {
      id: "R12",
      message: `port ${plan.port} is in use${names.length === 0 ? "" : ` by ${names.join(", ")}`}`,
      hints: [holderHint(holders, plan.port), "--port 0 takes any free port."],
      exitCode: 1,
    };
  }
  return {
    id: "bind",
    message: `cannot listen on ${plan.hosts.join(", ")} port ${plan.port}: ${message}`,
    hints: [],
    exitCode: hasCode(error, "BIND_REFUSED") ? 78 : 1,
  };
}

/** Takes the first line of `--password-file` for `--password`. */
function readPasswordFile(flags: GatewayRunFlags): GatewayRunFlags | { refusal: StartRefusal } {
  const { passwordFile } = flags;
  if (passwordFile === undefined) return flags;
  const refusal = (message: string): { refusal: StartRefusal } => ({
    refusal: { id: "R7", message, hints: [], exitCode: 1 },
  });
  if (flags.password !== undefined) {
    return refusal("--password and --password-file cannot be combined");
  }
  try {
    const password = readFileSync(passwordFile, "utf8").split(/\r?\n/, 1)[0]?.trim() ?? "";
    if (password === "") return refusal(`the first line of ${passwordFile} is empty`);
    return { ...flags, password };
  } catch (error) {
    return refusal(`cannot read ${passwordFile}: ${messageOf(error)}`);
  }
}

function tell(io: ProgramIo, refusal: StartRefusal): number {
  io.stderr.write(`Gateway not started: ${refusal.message}\n`);
  for (const hint of refusal.hints) io.stderr.write(`  ${hint}\n`);
  return refusal.exitCode;
}

function secretOf({ auth }: StartPlan): string | undefined {
  if (auth.mode === "token") return auth.token;
  return auth.mode === "password" ? auth.password : undefined;
}
