import type { Duplex } from "node:stream";
import { asObject, safeText, type Way } from "@openclaw/app-kit";
import { loadSshWay } from "@openclaw/app-kit/ssh-way";
import { DEFAULT_PORT, type SshRoute } from "@openclaw/config";
import type { ChosenGateway } from "../gateway/choose-gateway.ts";
import type { Interruption } from "../gateway/interruption.ts";
import { connect } from "../gateway/session.ts";
import { createAsking, wayOptions } from "../gateway/ssh-way.ts";
import { interruptedError } from "../gateway/interruption.ts";
import type { CommandContext } from "../program/command-context.ts";
import { asGatewayFailure, asSshFailure } from "./explain-step.ts";
import { EXIT_NOT_FOUND, farCommand, searchedPath } from "./far-command.ts";
import { reachSshPort, resolveName } from "./reach.ts";
import { StepFailure, type StepTitles, type Taken, type Walk } from "./walk.ts";

export const SSH_STEPS: StepTitles = {
  name: "The name resolves",
  port: "The SSH port answers",
  hostKey: "The host key is known",
  login: "SSH lets you in",
  cli: "openclaw is found there",
  status: "openclaw status runs there",
  tunnel: "The forward opens",
  websocket: "The WebSocket answers",
  authentication: "The Gateway accepts the secret",
  pairing: "The Gateway knows this device",
};

/** Starting a program over there takes longer than an answer of one that runs. */
const FAR_PROGRAM_MS = 20_000;

/** What was learnt about the far side. */
export interface Learnt {
  version: string | null;
  statusOk: boolean;
  engine?: string;
}

export interface WalkOptions {
  context: CommandContext;
  gateway: ChosenGateway;
  walk: Walk;
  timeoutMs: number;
  interruption: Interruption;
}

/**
 * From the name of the SSH server to the Gateway behind it.
 *
 * @throws {StepFailure} of the first step that fails
 */
export async function testOverSsh(options: WalkOptions, learnt: Learnt): Promise<void> {
  const { walk } = options;
  const via = options.gateway.target.via as SshRoute;
  await findServer(options);
  const way = await walk.take(["hostKey", "login"], () => openSsh(options));
  try {
    const { state } = way.tunnel;
    if (state.kind === "open") learnt.engine = state.engine.name;
    learnt.version = await walk.take(["cli"], () => findProgram(options, way));
    const far = await walk.take(["status"], () => runStatus(options, way));
    learnt.statusOk = true;
    learnt.version = far.version ?? learnt.version;
    const stream = await walk.take(["tunnel"], () => openForward(options, way, far.port));
    await walk.take(["websocket", "authentication", "pairing"], () =>
      meetGateway(options, { ...way.client, dial: dialFirst(stream, way) }),
    );
  } finally {
    await way.close();
  }

  /** The stream that was opened already, and after that new ones. */
  function dialFirst(stream: Duplex, { client }: Way): Way["client"]["dial"] {
    let first: Duplex | undefined = stream;
    return (address, given) => {
      const open = first;
      first = undefined;
      return open === undefined ? client.dial(address, given) : Promise.resolve(open);
    };
  }

  async function openForward(
    { interruption }: WalkOptions,
    { tunnel }: Way,
    farPort: number | undefined,
  ): Promise<Taken<Duplex>> {
    const port = via.remotePort;
    try {
      const value = await tunnel.connect({ port }, { signal: interruption.signal });
      // One that breaks before the client listens is the client's to find out.
      value.on("error", () => {});
      return { value, detail: `to 127.0.0.1:${port} over there` };
    } catch (error) {
      const failure = asSshFailure(error);
      if (!(failure instanceof StepFailure)) throw error;
      const { message, code } = failure;
      const elsewhere =
        farPort === undefined || farPort === port
          ? "Start the Gateway on that machine: openclaw gateway run"
          : `The Gateway over there says it is on another port: --remote-port ${farPort}`;
      const hint = code === "REMOTE_PORT_CLOSED" ? elsewhere : failure.hint;
      throw new StepFailure(message, { code, hint, cause: error });
    }
  }
}

/**
 * Where the way begins: whether its name has an address, and an SSH server answers there.
 *
 * @throws {StepFailure} of the step that fails
 */
export async function findServer(
  options: WalkOptions,
  portStep: "port" | "route" = "port",
): Promise<void> {
  const { context, gateway, walk, timeoutMs, interruption } = options;
  const { findWayStart } = await loadSshWay();
  const { signal } = interruption;
  const start = await findWayStart({ ...wayOptions(gateway.target, context), signal }).catch(
    async (error: unknown) => {
      // A config that cannot be read hinders all steps, and so the first.
      const failure = asSshFailure(error);
      if (!(failure instanceof StepFailure)) throw error;
      const { message, code, hint } = failure;
      return walk.take<never>(["name"], () =>
        Promise.reject(new StepFailure(message, { code, hint, cause: error })),
      );
    },
  );
  const { hostName, port, isHop, isByProgram } = start;
  if (isByProgram) {
    const why = "a ProxyCommand of your ssh config connects";
    walk.skip("name", why);
    walk.skip(portStep, why);
    return;
  }
  const note = isHop ? ", the first host of your ProxyJump" : "";
  const noted = async (work: Promise<Taken<undefined>>): Promise<Taken<undefined>> => {
    const { detail = "" } = await work;
    return { value: undefined, detail: `${detail}${note}` };
  };
  await walk.take(["name"], () => noted(resolveName(hostName)));
  await walk.take([portStep], () => noted(reachSshPort(hostName, port, { timeoutMs, signal })));
}

async function openSsh(options: WalkOptions): Promise<Taken<Way>> {
  const { context, gateway, timeoutMs, interruption } = options;
  const asking = createAsking(context, () => interruption.interrupt(interruptedError("SIGINT")));
  const { openWay } = await loadSshWay();
  try {
    const way = await openWay({
      ...wayOptions(gateway.target, context),
      authentication: asking.callbacks,
      connectTimeoutMs: timeoutMs,
      signal: interruption.signal,
    });
    const { state } = way.tunnel;
    const key = state.kind === "open" ? state.engine.hostKey : undefined;
    return { value: way, detail: key && `${key.keyType} ${key.fingerprint}` };
  } catch (error) {
    throw asSshFailure(error);
  }
}

/** @throws {StepFailure} `CLI_NOT_FOUND`, with the folders that were searched; `CLI_FAILED` */
export async function findProgram(
  options: Pick<WalkOptions, "context" | "interruption">,
  way: Way,
): Promise<Taken<string | null>> {
  const { stdout, stderr, exitCode } = await runThere(options, way, ["--version"]);
  if (exitCode === EXIT_NOT_FOUND) throw notFound(stderr);
  if (exitCode !== 0) throw failedThere("openclaw --version", exitCode, stderr);
  // The last line: what login scripts write comes before it.
  const line = safeText(stdout.trim().split("\n").at(-1) ?? "");
  const version = /\d+\.\d+\.\d+[\w.+-]*/u.exec(line)?.[0];
  return { value: version ?? null, detail: version };
}

/** @throws {StepFailure} `CLI_FAILED`, `NOT_JSON` */
export async function runStatus(
  options: Pick<WalkOptions, "context" | "interruption">,
  way: Way,
): Promise<Taken<{ version: string | undefined; port: number | undefined }>> {
  const { stdout, stderr, exitCode } = await runThere(options, way, ["status", "--json"]);
  if (exitCode !== 0) throw failedThere("openclaw status --json", exitCode, stderr);
  let document: unknown;
  try {
    document = JSON.parse(stdout);
  } catch (cause) {
    throw new StepFailure("openclaw status --json did not print a JSON document there.", {
      code: "NOT_JSON",
      exitCode,
      hint: "A start script of the shell over there may write to stdout; it must not where nobody looks.",
      cause,
    });
  }
  const { runtimeVersion, gateway } = asObject(document);
  const { url, reachable } = asObject(gateway);
  const version = typeof runtimeVersion === "string" ? safeText(runtimeVersion) : undefined;
  const port =
    typeof url === "string" && URL.canParse(url)
      ? Number(new URL(url).port || DEFAULT_PORT)
      : undefined;
  const detail =
    typeof reachable === "boolean"
      ? `its Gateway ${reachable ? "answers" : "does not answer"} there`
      : undefined;
  return { value: { version, port }, detail };
}

async function runThere(
  { context, interruption }: Pick<WalkOptions, "context" | "interruption">,
  way: Way,
  words: string[],
) {
  const line = farCommand(words, {
    cliPath: context.text("cli-path"),
    projectRoot: context.text("project-root"),
  });
  try {
    return await way.tunnel.run(line, { timeoutMs: FAR_PROGRAM_MS, signal: interruption.signal });
  } catch (error) {
    const failure = asSshFailure(error);
    if (!(failure instanceof StepFailure)) throw error;
    const { message, code, hint } = failure;
    throw new StepFailure(message, { code, hint, cause: error });
  }
}

function notFound(stderr: string): StepFailure {
  const searched = searchedPath(stderr);
  const reason = safeText(stderr.split("\n").find((line) => line.trim() !== "") ?? "");
  const what = searched === undefined ? `openclaw does not start: ${reason}` : reason;
  const where = searched === undefined ? "" : `; searched: ${safeText(searched)}`;
  return new StepFailure(`${what}${where}.`, {
    code: "CLI_NOT_FOUND",
    exitCode: EXIT_NOT_FOUND,
    hint: [
      "A shell that runs one command reads few start files. One of these makes openclaw and node known to it:",
      "- put their folder into /etc/paths (macOS)",
      "- add it to PATH in ~/.zshenv, or at the top of ~/.bashrc",
      '- link both: sudo ln -s "$(command -v openclaw)" "$(command -v node)" /usr/local/bin/ (or /opt/homebrew/bin/)',
      "Or say where it is: --cli-path <path>, --project-root <path>",
    ].join("\n"),
  });
}

function failedThere(what: string, exitCode: number | null, stderr: string): StepFailure {
  const said = safeText(stderr.trim().split("\n").at(-1) ?? "").slice(0, 300);
  const end = exitCode === null ? "was ended by a signal" : `ended with ${exitCode}`;
  return new StepFailure(`${what} ${end} there${said === "" ? "." : `: ${said}`}`, {
    code: "CLI_FAILED",
    ...(exitCode === null ? {} : { exitCode }),
    hint: "Log in there and try the same command.",
  });
}

/** The three steps that one handshake decides. */
export async function meetGateway(
  { context, gateway, timeoutMs, interruption }: WalkOptions,
  client?: Way["client"],
): Promise<Taken<undefined>> {
  try {
    const connection = await connect(
      context,
      gateway,
      { scopes: ["operator.read"] },
      timeoutMs,
      client === undefined ? undefined : { client },
      interruption.signal,
    );
    const { hello } = connection;
    await connection.close();
    return { value: undefined, detail: `protocol ${hello?.protocol}` };
  } catch (error) {
    throw asGatewayFailure(error, context, gateway);
  }
}
