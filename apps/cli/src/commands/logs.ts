import { asObject } from "@openclaw/app-kit";
import { logsTailLimits } from "@openclaw/protocol";
import { CliError, usageError } from "../errors.ts";
import { type ChosenGateway, chooseGateway, isLocalTarget } from "../gateway/choose-gateway.ts";
import {
  canComeBack,
  followGateway,
  type FollowOptions,
  followPieces,
  readLogOnce,
} from "../logs/follow-log.ts";
import { createLogOutput, type LogClock } from "../logs/log-output.ts";
import { createStyle } from "../output/style.ts";
import type { CommandContext } from "../program/command-context.ts";

/** After Ctrl-C, a connection that does not close by then is dropped. */
const GOODBYE_MS = 80;

/**
 * `openclaw logs`: the Gateway's log over its own connection, so that it works from anywhere. Where the
 * Gateway of this machine is down, its file is read instead.
 */
export async function run(context: CommandContext): Promise<number> {
  try {
    return await showLogs(context);
  } catch (error) {
    // With --json every line is a document of its own, and this one goes to stderr.
    if (!context.json || !(error instanceof CliError)) throw error;
    context.say(JSON.stringify(errorDocument(error)));
    return error.exitCode;
  }
}

async function showLogs(context: CommandContext): Promise<number> {
  const first = {
    limit: atMost("limit", context.integer("limit") ?? 200, logsTailLimits.lines.most),
    maxBytes: atMost(
      "max-bytes",
      context.integer("max-bytes") ?? logsTailLimits.bytes.default,
      logsTailLimits.bytes.most,
    ),
  };
  const style = context.flag("plain") ? createStyle(false) : context.style;
  const output = createLogOutput(context, style, chooseClock(context));
  const gateway = await chooseGateway(context);
  const intervalMs = context.integer("interval") ?? 1_000;
  const stop = new AbortController();
  const options = { context, gateway, output, first, intervalMs, signal: stop.signal };
  if (!context.flag("follow")) {
    await orFromFile(options, readLogOnce(options), readFileOnce);
    return 0;
  }
  const offSignal = context.io.onSignal(() => stop.abort());
  try {
    await endsSoon(context, stop.signal, orFromFile(options, followGateway(options), followFile));
    return 0;
  } finally {
    offSignal();
  }
}

/** Reads the file where the Gateway of this machine, and no other, is not there to ask. */
async function orFromFile(
  options: FollowOptions,
  overRpc: Promise<void>,
  fromFile: (options: FollowOptions) => Promise<void>,
): Promise<void> {
  try {
    await overRpc;
  } catch (error) {
    const { gateway, output } = options;
    if (!canComeBack(error) || !isOwnGateway(gateway)) throw error;
    output.notice(`The Gateway does not answer (${error.message}); this is its log file.`);
    await fromFile(options);
  }
}

function isOwnGateway({ target }: ChosenGateway): boolean {
  return target.kind === "local" && isLocalTarget(target);
}

async function readFileOnce(options: FollowOptions): Promise<void> {
  const ask = await openFile(options);
  options.output.piece(await ask(options.first));
}

async function followFile(options: FollowOptions): Promise<void> {
  await followPieces(options, { question: options.first }, await openFile(options));
}

async function openFile({ context, gateway }: FollowOptions) {
  const { logLocation, tailLog } = await import("@openclaw/gateway/logs");
  const file = asObject(gateway.loose.config["logging"])["file"];
  const { env, paths } = context;
  const config = { logging: typeof file === "string" ? { file } : {} };
  const location = logLocation({ config, env, paths });
  return (question: FollowOptions["first"]) => tailLog(location, question);
}

/** Waits for the work, but after the signal only for as long as nobody notices. */
async function endsSoon(
  { io }: CommandContext,
  signal: AbortSignal,
  work: Promise<void>,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    timer = setTimeout(() => io.terminate(0), GOODBYE_MS);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await work;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

function chooseClock(context: CommandContext): LogClock {
  if (context.flag("utc") && context.flag("local-time")) {
    throw usageError("--utc and --local-time cannot be combined.");
  }
  if (context.flag("utc")) return "utc";
  return context.flag("local-time") ? "local" : "as-is";
}

function atMost(name: string, value: number, most: number): number {
  if (value > most) throw usageError(`--${name} must be at most ${most}, not ${value}.`);
  return value;
}

function errorDocument({ message, type, fields, hints, siblings }: CliError): object {
  const gateway = asObject(siblings["gateway"]);
  return {
    type: "error",
    message,
    error: { type, ...fields },
    details: { ...gateway, message },
    ...(hints.length === 0 ? {} : { hint: hints[0] }),
  };
}
