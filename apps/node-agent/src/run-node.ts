import { hostname } from "node:os";
import { join } from "node:path";
import {
  certificatePlace,
  closeInTime,
  createLogger,
  hasCode,
  listenForStop,
  type Logger,
  logLevelFrom,
  messageOf,
  type ProgramIo,
  safeText,
  type Way,
  withOwnPin,
} from "@openclaw/app-kit";
import { loadSshWay } from "@openclaw/app-kit/ssh-way";
import {
  type DeviceIdentity,
  fileTokenStore,
  GatewayError,
  loadOrCreateDeviceIdentity,
} from "@openclaw/client";
import {
  ConfigError,
  type Env,
  isEnvSwitchOn,
  type LooseConfig,
  type Paths,
  readConfigLoosely,
  stateFiles,
} from "@openclaw/config";
import { createFileLedger, type Ledger } from "@openclaw/ledger";
import { createNode, type OpenClawNode, systemCommands } from "@openclaw/node-core";
import { type NodeFile, NodeFileError, readNodeFile, writeNodeFile } from "./node-file.ts";
import {
  chooseCredentials,
  chooseTarget,
  type NodeRunFlags,
  type NodeTarget,
} from "./node-target.ts";
import { type PairTarget, pairTarget } from "./pair-target.ts";
import { chooseCommands, CommandsError } from "./choose-commands.ts";
import { createStory, isWayError, placeOf, type Story } from "./story.ts";
import { VERSION } from "./version.ts";

export interface RunNodeInput {
  flags: NodeRunFlags;
  io: ProgramIo;
  /** The environment that counts, when profile or `.env` files added to `io.env`. @default io.env */
  env?: Env;
  paths: Paths;
  /** How an operator calls the command line, for hints. @default "openclaw" */
  program?: string;
  /** Stops the node as a first signal does. */
  signal?: AbortSignal;
  /** Called at the first connection. */
  onReady?: (node: ReadyNode) => void;
}

type NodeCommands = readonly ReturnType<typeof systemCommands>[number][];

export interface ReadyNode {
  nodeId: string;
  url: string;
  /** What the Gateway has issued tokens for: `node`, and `operator` where a setup code gave that too. */
  roles: readonly string[];
}

/** What a supervisor must not try again as it is (`EX_CONFIG`). */
const EXIT_CONFIG = 78;

/** A close that takes longer than this is cut short; a command that does not stop is given ten seconds. */
const CLOSE_TIMEOUT_MS = 12_000;

/**
 * Runs this machine as a node until a stop signal. Returns the exit code: 0 after a signal, 1 when
 * the Gateway will never let it in as it is, or when its own state cannot be used, 78 when the way
 * there over SSH needs somebody who sets it right.
 */
export async function runNode(input: RunNodeInput): Promise<number> {
  const { io, paths, flags } = input;
  const env = input.env ?? io.env;
  const files = stateFiles(paths.stateDir);
  let prepared: Prepared;
  try {
    prepared = await prepare(input, env);
  } catch (error) {
    return refuse(io, error);
  }
  const { target, loose, identity, nodeFile, displayName } = prepared;
  if (flags.nodeId !== undefined && flags.nodeId !== identity.deviceId) {
    io.stderr.write(
      `Note: --node-id is not used: the id of a node is that of its key, ${identity.deviceId}.\n`,
    );
  }

  let ledger: Ledger;
  try {
    ledger = createFileLedger({
      directory: join(paths.stateDir, "node", "ledger"),
      ...ledgerOptions(loose),
    });
  } catch (error) {
    return refuse(io, error, paths.stateDir);
  }
  try {
    writeNodeFile(files.node, {
      ...nodeFile,
      version: 1,
      nodeId: identity.deviceId,
      displayName,
      gateway: target.save,
    });
    const story = createStory({
      sink: io.stderr,
      place: placeOf(target),
      ...(input.program === undefined ? {} : { program: input.program }),
    });
    return await serve({ ...input, env, prepared, ledger, story });
  } catch (error) {
    return refuse(io, error);
  } finally {
    await ledger.close();
  }
}

interface Prepared {
  target: NodeTarget;
  /** Of a setup code. */
  bootstrapToken: string | undefined;
  commands: NodeCommands;
  loose: LooseConfig;
  identity: DeviceIdentity;
  nodeFile: NodeFile;
  displayName: string;
}

/** Everything that can be wrong before the first attempt. */
async function prepare({ flags, paths, io }: RunNodeInput, env: Env): Promise<Prepared> {
  const files = stateFiles(paths.stateDir);
  const loose = await readConfigLoosely({ path: paths.configPath, env });
  const nodeFile = readNodeFile(files.node);
  const commands = chooseCommands(
    systemCommands({ execApprovalsPath: files.execApprovals }),
    flags.commands,
  );
  const pair: PairTarget | undefined =
    flags.pair === undefined ? undefined : await pairTarget(flags.pair, flags);
  const chosen =
    pair?.target ??
    chooseTarget({
      flags,
      saved: nodeFile.gateway ?? {},
      loose,
      configPath: paths.configPath,
      cwd: io.cwd,
    });
  const target = await withOwnPin(chosen, certificatePlace(paths, loose.config));
  const identity = await loadOrCreateDeviceIdentity(files.deviceIdentity);
  const displayName = flags.displayName ?? nodeFile.displayName ?? hostname();
  const bootstrapToken = pair?.bootstrapToken;
  return { target, bootstrapToken, commands, loose, identity, nodeFile, displayName };
}

interface Serving extends RunNodeInput {
  env: Env;
  prepared: Prepared;
  ledger: Ledger;
  story: Story;
}

async function serve(serving: Serving): Promise<number> {
  const { io, story, prepared, paths } = serving;
  const { target } = prepared;
  story.say(`Connecting to ${placeOf(target)} (${target.urlSource}).`);
  const way = await openWay(serving);
  const stop = listenForStop(io, serving.signal);
  const node = buildNode(serving, way);
  try {
    // A first connection may take for ever, as long as nobody approves; a stop ends that too.
    const started = node.start().then((hello) => {
      const { role = "node", deviceTokens = [] } = hello.auth ?? {};
      const roles = [role, ...deviceTokens.map((issued) => issued.role)];
      serving.onReady?.({ nodeId: node.nodeId, url: target.url, roles });
      return node.closed;
    });
    const outcome = await Promise.race([stop.requested, started]);
    if (typeof outcome === "object") return exitCodeOf(outcome.error);
    story.say("Stopping.");
    return 0;
  } catch (error) {
    // A final refusal has been told already, as a failed attempt.
    if (!(error instanceof GatewayError)) return refuse(io, error, paths.stateDir);
    return exitCodeOf(error);
  } finally {
    await closeInTime(() => closeBoth(node, way), { io, timeoutMs: CLOSE_TIMEOUT_MS });
    stop.release();
  }
}

/** One SSH connection for all of the node's life; undefined where the Gateway is dialled directly. */
async function openWay(serving: Serving): Promise<Way | undefined> {
  const { env, paths, prepared, story } = serving;
  const { via, endpointKey } = prepared.target;
  if (via === undefined) return undefined;
  const { keepWay } = await loadSshWay();
  return keepWay({
    via,
    endpointKey,
    env,
    knownHosts: via.knownHosts,
    hostKeyFingerprint: via.hostKeyFingerprint,
    onNewHostKey: ({ name, keyType, fingerprint }) =>
      story.say(`New SSH host key accepted: ${safeText(name)} ${keyType} ${fingerprint}`),
    onState: story.way,
    stateDirectory: paths.stateDir,
    logger: loggerOf(serving, []),
  });
}

async function closeBoth(node: OpenClawNode, way: Way | undefined): Promise<void> {
  // What runs on the node may have a last word, which goes this way.
  await node.close();
  await way?.close();
}

/** Only a final failure ends a node; one of the way there takes somebody who sets it right. */
function exitCodeOf(error: GatewayError | undefined): number {
  return isWayError(error?.cause) ? EXIT_CONFIG : 1;
}

function loggerOf({ io, env, flags }: Serving, secrets: (string | undefined)[]): Logger {
  return createLogger(io.stderr, {
    // The story tells what a person needs to know of connections.
    level: logLevelFrom(env["OPENCLAW_LOG_LEVEL"], flags.verbose === true, "warn"),
    format: "text",
    secrets,
  });
}

function buildNode(serving: Serving, way: Way | undefined): OpenClawNode {
  const { flags, env, paths, prepared, ledger, story } = serving;
  const { target, bootstrapToken, commands, loose, identity, displayName } = prepared;
  const files = stateFiles(paths.stateDir);
  // A setup code stands for itself: what the environment holds may be for another Gateway.
  const { token, password } =
    bootstrapToken === undefined
      ? chooseCredentials(flags, target, loose, paths.stateDir)
      : { token: flags.token, password: flags.password };
  const node = createNode({
    url: target.url,
    token,
    password,
    identity,
    deviceStore: fileTokenStore(files.deviceTokens),
    displayName,
    version: VERSION,
    commands,
    pathEnv: env["PATH"],
    reportHostStats: true,
    ledger,
    logger: loggerOf(serving, [token, password, bootstrapToken]),
    ...way?.client,
    client: {
      bootstrapToken,
      tlsFingerprint: target.tlsFingerprint,
      allowInsecureUrl: isEnvSwitchOn(env, "OPENCLAW_ALLOW_INSECURE_PRIVATE_WS"),
      onAttempt: story.attemptFailed,
    },
    onState(state) {
      if (state.kind === "open") {
        story.connected({
          name: displayName,
          nodeId: identity.deviceId,
          commands: commands.map(({ name }) => name),
        });
      } else if (state.kind === "waiting") {
        story.lost();
      }
    },
  });
  return node;
}

function ledgerOptions({ config }: LooseConfig): {
  durability?: "power";
  retentionMs?: number;
  maxEntries?: number;
  maxBytes?: number;
} {
  // Read without the schema: anything but a positive number counts as unset.
  const { nodeHost } = config as { nodeHost?: { ledger?: Record<string, unknown> } };
  const wanted = ["retentionMs", "maxEntries", "maxBytes"] as const;
  const limits = wanted
    .map((key) => [key, nodeHost?.ledger?.[key]] as const)
    .filter(([, value]) => typeof value === "number" && value > 0);
  return {
    ...(nodeHost?.ledger?.["durability"] === "power" ? { durability: "power" } : {}),
    ...Object.fromEntries(limits),
  };
}

function refuse(io: ProgramIo, error: unknown, stateDir?: string): number {
  const message = messageOf(error);
  const hints: string[] = [];
  if (
    error instanceof ConfigError ||
    error instanceof GatewayError ||
    error instanceof CommandsError ||
    isWayError(error)
  ) {
    if (error.hint !== undefined) hints.push(error.hint);
  } else if (error instanceof NodeFileError) {
    hints.push("Mend the file or move it away; the node asks for nothing in it.");
  } else if (hasCode(error, "LOCKED")) {
    hints.push(
      `Another node process works with ${stateDir ?? "this state"}. Stop it, or give this one its own: openclaw --profile <name> node run`,
    );
  }
  io.stderr.write(`Node not started: ${message}\n`);
  for (const hint of hints) io.stderr.write(`  ${hint}\n`);
  return isWayError(error) ? EXIT_CONFIG : 1;
}
