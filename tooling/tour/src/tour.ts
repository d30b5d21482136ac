import { exitCodeOf, describeEnd, type Crew, type CrewMember, type Env } from "./crew.ts";
import type { Narrator } from "./narrator.ts";
import type { TourArgs } from "./tour-args.ts";
import { TourError } from "./tour-error.ts";
import type { TourFolder } from "./tour-folder.ts";
import { nextSteps } from "./next-steps.ts";

export interface TourOptions {
  args: TourArgs;
  crew: Crew;
  folder: TourFolder;
  narrator: Narrator;
  /** The environment of this process; what concerns another Gateway is kept from the children. */
  env: Env;
  platform: NodeJS.Platform;
  /** Where the user stands, for the paths in what to try next. */
  cwd: string;
  /** Settles with the signal that ends the tour. */
  interrupted: Promise<NodeJS.Signals>;
}

/** How the tour ended; the caller stops the crew. */
export interface TourOutcome {
  exitCode: number;
  /** The signal that ended it. */
  signal?: NodeJS.Signals;
}

const START_TIMEOUT_MS = 30_000;
const COMMAND_TIMEOUT_MS = 40_000;
const NODE_NAME = "tour";

/**
 * Starts a Gateway and a node, pairs them, runs a command, and says what to try next; then waits for
 * the signal, unless it is to run once.
 */
export async function runTour(options: TourOptions): Promise<TourOutcome> {
  const interrupted = options.interrupted.then((signal) => ({ signal }));
  const shown = await Promise.race([show(options), interrupted]);
  // Before the tour is through, a Ctrl-C means that it did not happen.
  if ("signal" in shown) return { exitCode: exitCodeOf({ code: null, ...shown }), ...shown };
  if (options.args.once) return { exitCode: 0 };

  const { gateway, node } = shown;
  const end = await Promise.race([
    interrupted,
    gateway.ended.then((end) => ({ title: "The Gateway", end, member: gateway })),
    node.ended.then((end) => ({ title: "The node", end, member: node })),
  ]);
  if ("signal" in end) return { exitCode: 0, ...end };
  // A signal for the whole group ends a child before this process hears of it.
  const late = await Promise.race([interrupted, afterMs(SIGNAL_GRACE_MS)]);
  if (late !== undefined) return { exitCode: 0, ...late };
  throw new TourError(`${end.title} ended with ${describeEnd(end.end)}`, end.member.lastWords);
}

/** How far apart the parts of a group may hear of the same signal. */
const SIGNAL_GRACE_MS = 300;

async function show(options: TourOptions): Promise<{ gateway: CrewMember; node: CrewMember }> {
  const { args, crew, folder, narrator, platform } = options;
  const env = (name: "gateway" | "node" | "operator"): Env => childEnv(options, name);

  const { gateway, port } = await startGateway(options, env("gateway"));
  narrator.step(
    `The Gateway listens on ws://127.0.0.1:${port} (process ${gateway.pid}).`,
    "Its token is in a file that only you can read; it went to the Gateway in its environment.",
  );

  narrator.step(`Starting a node: openclaw node run --host 127.0.0.1 --port ${port}`);
  const node = crew.start(
    "The node",
    ["node", "run", "--host", "127.0.0.1", "--port", String(port), "--display-name", NODE_NAME],
    env("node"),
  );
  await node.line(/Connected to /u, START_TIMEOUT_MS);
  const paired = await pairedNode(crew, env("operator"), port);
  narrator.step(
    `The node "${NODE_NAME}" is paired and connected (process ${node.pid}).`,
    `Its id is ${paired.nodeId.slice(0, 12)}…, the fingerprint of its key. It is on this machine and knows`,
    "the token, so no operator had to approve it; a node elsewhere waits for `openclaw devices approve`.",
    `It offers ${paired.commands.join(", ")}.`,
  );

  const command = platform === "win32" ? ["cmd.exe", "/d", "/c", "ver"] : ["uname", "-a"];
  narrator.step(
    `Running a first command on it: openclaw nodes run --node ${NODE_NAME} -- ${command.join(" ")}`,
  );
  const startedAt = performance.now();
  const answer = await crew.run(
    "The command",
    ["nodes", "run", "--node", NODE_NAME, "--", ...command],
    { ...env("operator"), OPENCLAW_GATEWAY_PORT: String(port) },
    COMMAND_TIMEOUT_MS,
  );
  if (answer.code !== 0) {
    throw new TourError(`The command ended with ${describeEnd(answer)}`, [
      ...answer.stderr.trimEnd().split("\n"),
      ...node.lastWords,
    ]);
  }
  const tookMs = Math.round(performance.now() - startedAt);
  narrator.step(
    `It answered (${tookMs} ms, the start of the command line included):`,
    ...answer.stdout
      .trimEnd()
      .split("\n")
      .map((line) => `  ${line}`),
  );

  if (args.once) narrator.step("That was the tour. Stopping the node and the Gateway.");
  else narrator.say(nextSteps({ folder, port, node: NODE_NAME, platform, cwd: options.cwd }));
  return { gateway, node };
}

/** Starts the Gateway on the port asked for, or on a free one when that is taken. */
async function startGateway(
  { args, crew, narrator }: TourOptions,
  env: Env,
): Promise<{ gateway: CrewMember; port: number }> {
  const start = (port: number): CrewMember => {
    narrator.step(`Starting a Gateway: openclaw gateway run --port ${port}`);
    return crew.start(
      "The Gateway",
      ["gateway", "run", "--port", String(port), "--allow-unconfigured"],
      env,
    );
  };
  // Only the Gateway itself can tell without a gap in between that a port is its own.
  let gateway = start(args.port);
  let ready = await listening(gateway);
  if ("takenBy" in ready) {
    narrator.step(`Port ${args.port} is taken${ready.takenBy}; taking a free one instead.`);
    gateway = start(0);
    ready = await listening(gateway);
  }
  if ("takenBy" in ready) throw new TourError("No free port was found", gateway.lastWords);
  return { gateway, port: ready.port };
}

async function listening(gateway: CrewMember): Promise<{ port: number } | { takenBy: string }> {
  const [, port, holder] = await gateway.line(
    /WebSocket: ws:\/\/127\.0\.0\.1:(\d+)|port \d+ is in use(.*)$/u,
    START_TIMEOUT_MS,
  );
  return port === undefined ? { takenBy: holder ?? "" } : { port: Number(port) };
}

/** The node as the Gateway lists it: what is shown is what is. */
async function pairedNode(
  crew: Crew,
  env: Env,
  port: number,
): Promise<{ nodeId: string; commands: string[] }> {
  const answer = await crew.run(
    "Listing the nodes",
    ["gateway", "call", "node.list", "--port", String(port), "--json"],
    env,
    COMMAND_TIMEOUT_MS,
  );
  if (answer.code !== 0) {
    throw new TourError(`Listing the nodes ended with ${describeEnd(answer)}`, [
      answer.stdout.trim(),
      ...answer.stderr.trimEnd().split("\n"),
    ]);
  }
  // The answer of the method `node.list`, whose shape the protocol fixes.
  const { nodes } = JSON.parse(answer.stdout) as {
    nodes: { nodeId: string; commands: string[]; paired: boolean; connected: boolean }[];
  };
  const node = nodes.find(({ paired, connected }) => paired && connected);
  if (node === undefined) {
    throw new TourError("The Gateway lists no paired node", answer.stdout.split("\n"));
  }
  return node;
}

/** Names of this program's own variables, of today and of earlier releases. */
const OWN_VARIABLES = /^(?:OPENCLAW|CLAWDBOT|MOLTBOT)_/u;

function childEnv({ env, folder }: TourOptions, name: "gateway" | "node" | "operator"): Env {
  const kept = Object.entries(env).filter(
    ([key]) => !OWN_VARIABLES.test(key) && key !== "XDG_CACHE_HOME",
  );
  return {
    ...Object.fromEntries(kept),
    HOME: folder.home,
    USERPROFILE: folder.home,
    OPENCLAW_STATE_DIR: folder.state(name),
    OPENCLAW_GATEWAY_TOKEN: folder.token,
  };
}

function afterMs(ms: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), ms);
  });
}
