import {
  createGatewayClient,
  type CloseInfo,
  type DeviceIdentity,
  type DeviceTokenStore,
  type GatewayClient,
  type GatewayClientOptions,
  type GatewayClientState,
  type Logger,
} from "@openclaw/client";
import { createMemoryLedger, type Ledger } from "@openclaw/ledger";
import { CAP_INVOKE_LEDGER, type HelloOk } from "@openclaw/protocol";
import type { NodeCommand } from "./define-command.ts";
import { NodeError } from "./errors.ts";
import { HOST_STATS_INTERVAL_MS, hostStats } from "./host-stats.ts";
import { createInvocationHandler } from "./invocation/invocation-handler.ts";
import { silentLogger } from "./logger.ts";

/** Options of {@link createNode}. */
export interface NodeOptions {
  /** Address of the Gateway, `ws:` or `wss:`; with `dial`, as seen from the far side. */
  url: string;
  /** Opens the stream that leads to the Gateway, such as a channel of an SSH connection. @default dials `url` */
  dial?: GatewayClientOptions["dial"];
  /** Tells when the carrier behind `dial` is there, so that tunnel and node come back as one. */
  carrierReady?: GatewayClientOptions["carrierReady"];
  /** What the device token is kept under; needed with `dial`, or the token is not kept. @default host and port of `url` */
  endpointKey?: GatewayClientOptions["endpointKey"];
  /** Shared token of the Gateway, for the first connection; later ones use the issued device token. */
  token?: string | undefined;
  /** Shared password of the Gateway. */
  password?: string | undefined;
  /** Who this node is: its `deviceId` is its node id. */
  identity: DeviceIdentity;
  /** Where the issued device token is kept. @default in memory, so that pairing lasts one process */
  deviceStore?: DeviceTokenStore | undefined;
  /** Shown in lists, until an operator renames the node. */
  displayName?: string | undefined;
  /** @default version of this package */
  version?: string | undefined;
  /** What the node can do; names must differ. */
  commands: readonly NodeCommand[];
  /** Further capabilities to declare. @default those of the commands */
  caps?: readonly string[] | undefined;
  /** What the user of the machine has granted, such as `{ camera: true }`. @default none */
  permissions?: Readonly<Record<string, boolean>> | undefined;
  /** PATH to report to the Gateway. @default not reported */
  pathEnv?: string | undefined;
  /**
   * Remembers invocations, so that a key runs at most once. One on disk (`createFileLedger`) does so
   * across restarts too. Who passes one closes it, after the node. @default in memory
   */
  ledger?: Ledger | undefined;
  /** Reports load, memory and disk every minute. @default false */
  reportHostStats?: boolean | undefined;
  /** Invocations that may run at once; more are answered `UNAVAILABLE`. @default 1_024 */
  maxRunning?: number | undefined;
  /** @default drops everything */
  logger?: Logger | undefined;
  /** Further options of the client, such as keepalive and backoff. */
  client?: Partial<GatewayClientOptions> | undefined;
  /** Told of each change of {@link OpenClawNode.state}. */
  onState?: ((state: GatewayClientState) => void) | undefined;
  /** The clock. @default Date.now */
  now?: (() => number) | undefined;
}

/** A node: connects, waits for pairing, executes what it is asked to, and comes back when cut off. */
export interface OpenClawNode extends AsyncDisposable {
  /** The device id. */
  readonly nodeId: string;
  readonly state: GatewayClientState;
  readonly client: GatewayClient;
  /** Invocations that run now. */
  readonly running: number;
  /**
   * Connects. Resolves at the first hello; while the device waits to be paired, that takes until an
   * operator approves it.
   *
   * @throws `GatewayError` if connecting cannot succeed without other settings
   */
  start(): Promise<HelloOk>;
  /**
   * Aborts what runs, sends the outcomes, and closes the connection. A command that does not stop is
   * given up after ten seconds.
   */
  close(): Promise<void>;
  /** Settles once, never rejects, and tells why. */
  readonly closed: Promise<CloseInfo>;
}

/**
 * Makes a node of some commands; {@link OpenClawNode.start} connects it.
 *
 * @throws {@link NodeError} `INVALID_COMMANDS` if two commands have the same name
 */
export function createNode(options: NodeOptions): OpenClawNode {
  const { identity, commands, logger = silentLogger, now = Date.now, onState } = options;
  assertDifferentNames(commands);
  const nodeId = identity.deviceId;
  const ownLedger = options.ledger === undefined ? createMemoryLedger({ now }) : undefined;
  const ledger = options.ledger ?? ownLedger ?? createMemoryLedger();

  const client = createGatewayClient({
    ...options.client,
    url: options.url,
    dial: options.dial ?? options.client?.dial,
    carrierReady: options.carrierReady ?? options.client?.carrierReady,
    endpointKey: options.endpointKey ?? options.client?.endpointKey,
    token: options.token,
    password: options.password,
    identity,
    deviceStore: options.deviceStore ?? options.client?.deviceStore,
    role: "node",
    client: {
      ...options.client?.client,
      ...(options.displayName !== undefined && { displayName: options.displayName }),
      ...(options.version !== undefined && { version: options.version }),
    },
    caps: declaredCaps(commands, options.caps),
    commands: commands.map((command) => command.name).toSorted(),
    permissions: options.permissions,
    pathEnv: options.pathEnv,
    logger,
  });
  if (onState !== undefined) client.on("state", onState);
  const handler = createInvocationHandler({
    peer: client,
    nodeId,
    commands,
    ledger,
    logger,
    maxRunning: options.maxRunning ?? 1_024,
    now,
  });
  const stopReporting =
    options.reportHostStats === true ? reportHostStats(client, logger) : () => {};
  let closing: Promise<void> | undefined;

  async function shutDown(): Promise<void> {
    stopReporting();
    await handler.close();
    await client.close();
    await ownLedger?.close();
  }

  const node: OpenClawNode = {
    nodeId,
    client,
    get state() {
      return client.state;
    },
    get running() {
      return handler.running;
    },
    start: () => client.connect(),
    close() {
      closing ??= shutDown();
      return closing;
    },
    closed: client.closed,
    [Symbol.asyncDispose]: () => node.close(),
  };
  return node;
}

function declaredCaps(
  commands: readonly NodeCommand[],
  further: readonly string[] = [],
): readonly string[] {
  const caps = new Set([...commands.map((command) => command.cap), ...further, CAP_INVOKE_LEDGER]);
  return [...caps].toSorted();
}

function assertDifferentNames(commands: readonly NodeCommand[]): void {
  const names = new Set<string>();
  for (const { name } of commands) {
    if (names.has(name)) throw new NodeError("INVALID_COMMANDS", `two commands are named ${name}`);
    names.add(name);
  }
}

/** Sends `node.host.stats` after each hello and every minute. Returns the function that ends it. */
function reportHostStats(client: GatewayClient, logger: Logger): () => void {
  const report = async (): Promise<void> => {
    if (client.state.kind !== "open") return;
    try {
      const payloadJSON = JSON.stringify(await hostStats());
      await client.request("node.event", { event: "node.host.stats", payloadJSON });
    } catch (error) {
      // An unapproved surface, or a connection that was just lost.
      logger.debug({ err: error }, "node: host stats were not taken");
    }
  };
  const timer = setInterval(() => void report(), HOST_STATS_INTERVAL_MS);
  timer.unref();
  const unsubscribe = client.on("state", (state) => {
    if (state.kind === "open") void report();
  });
  return () => {
    clearInterval(timer);
    unsubscribe();
  };
}
