import { hostname } from "node:os";
import { join } from "node:path";
import {
  closeInTime,
  createLogger,
  hasCode,
  listenForStop,
  logLevelFrom,
  messageOf,
  type ProgramIo,
} from "@openclaw/app-kit";
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
import { createStory, type Story } from "./story.ts";
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
  onReady?: (node: { nodeId: string; url: string }) => void;
}

/** A close that takes longer than this is cut short; a command that does not stop is given ten seconds. */
const CLOSE_TIMEOUT_MS = 12_000;

/**
 * Runs this machine as a node until a stop signal. Returns the exit code: 0 after a signal, 1 when
 * the Gateway will never let it in as it is, or when its own state cannot be used.
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
      gateway: { ...nodeFile.gateway, ...target.save },
    });
    const story = createStory({
      sink: io.stderr,
      url: target.url,
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
  loose: LooseConfig;
  identity: DeviceIdentity;
  nodeFile: NodeFile;
  displayName: string;
}

/** Everything that can be wrong before the first attempt. */
async function prepare({ flags, paths }: RunNodeInput, env: Env): Promise<Prepared> {
  const files = stateFiles(paths.stateDir);
  const loose = await readConfigLoosely({ path: paths.configPath, env });
  const nodeFile = readNodeFile(files.node);
  const target = chooseTarget({
    flags,
    saved: nodeFile.gateway ?? {},
    loose,
    configPath: paths.configPath,
  });
  const identity = await loadOrCreateDeviceIdentity(files.deviceIdentity);
  const displayName = flags.displayName ?? nodeFile.displayName ?? hostname();
  return { target, loose, identity, nodeFile, displayName };
}

interface Serving extends RunNodeInput {
  env: Env;
  prepared: Prepared;
  ledger: Ledger;
  story: Story;
}

async function serve(serving: Serving): Promise<number> {
  const { io, story, prepared, paths } = serving;
  const stop = listenForStop(io, serving.signal);

  const node = buildNode(serving);
  try {
    story.say(`Connecting to ${prepared.target.url} (${prepared.target.urlSource}).`);
    // A first connection may take for ever, as long as nobody approves; a stop ends that too.
    const started = node.start().then(() => {
      serving.onReady?.({ nodeId: node.nodeId, url: prepared.target.url });
      return node.closed.then(() => "closed" as const);
    });
    const outcome = await Promise.race([stop.requested, started]);
    if (outcome === "closed") return 1;
    story.say("Stopping.");
    return 0;
  } catch (error) {
    // A final refusal has been told already, as a failed attempt.
    if (!(error instanceof GatewayError)) return refuse(io, error, paths.stateDir);
    return 1;
  } finally {
    await closeInTime(() => node.close(), { io, timeoutMs: CLOSE_TIMEOUT_MS });
    stop.release();
  }
}

function buildNode({ flags, io, env, paths, prepared, ledger, story }: Serving): OpenClawNode {
  const { target, loose, identity, displayName } = prepared;
  const files = stateFiles(paths.stateDir);
  const { token, password } = chooseCredentials(flags, target, loose, paths.stateDir);
  const commands = systemCommands({ execApprovalsPath: files.execApprovals });
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
    logger: createLogger(io.stderr, {
      // The story tells what a person needs to know of connections.
      level: logLevelFrom(env["OPENCLAW_LOG_LEVEL"], flags.verbose === true, "warn"),
      format: "text",
      secrets: [token, password],
    }),
    client: {
      tlsFingerprint: target.tlsFingerprint,
      allowInsecureUrl: isEnvSwitchOn(env, "OPENCLAW_ALLOW_INSECURE_PRIVATE_WS"),
      onAttempt: story.attemptFailed,
    },
    onState(state) {
      if (state.kind === "open") {
        story.connected({
          url: target.url,
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
  if (error instanceof ConfigError || error instanceof GatewayError) {
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
  return 1;
}
