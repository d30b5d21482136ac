import {
  checkGatewayUrl,
  connectGateway,
  type DeviceIdentity,
  type DeviceTokenStore,
  type GatewayClient,
  GatewayError,
} from "@openclaw/client";
import type { Way } from "@openclaw/app-kit";
import { type GatewayTarget, isEnvSwitchOn, stateFiles } from "@openclaw/config";
import type { CommandContext } from "../program/command-context.ts";
import { VERSION } from "../version.ts";
import {
  type ChosenGateway,
  type ChooseOptions,
  chooseGateway,
  isLocalTarget,
} from "./choose-gateway.ts";
import { explainFailure, type FailureContext } from "./explain-failure.ts";
import { createInterruption } from "./interruption.ts";
import { explainWayFailure, openWayTo, readWayFailure } from "./ssh-way.ts";

export interface SessionOptions extends ChooseOptions {
  /** What the command needs and nothing more. */
  scopes: readonly string[];
  caps?: readonly string[];
  /** A diagnosis: never makes an identity, never asks for pairing. @default false */
  isProbe?: boolean;
  /** Time for connecting and each answer. @default `--timeout` */
  timeoutMs?: number;
  /** Watches the line by pings: for work that may take longer than a silent line can be trusted. @default false */
  isLong?: boolean;
  /** Already chosen. */
  gateway?: ChosenGateway;
}

/** A connection for the length of one command. */
export interface GatewaySession {
  readonly client: GatewayClient;
  readonly gateway: ChosenGateway;
  /** From the dial to the hello. */
  readonly connectLatencyMs: number;
  /** What carries the connection, where it goes over SSH. */
  readonly engine: string | undefined;
  /** Whether the Gateway serves a method beyond the published ones. */
  serves(method: string): boolean;
  /** Calls a method within what is left of the time, unless it is given time of its own. */
  request<T>(method: string, params?: object, options?: SessionRequestOptions): Promise<T>;
  /** Ends what carries the connection, for whoever is about to end the process. */
  leave(): Promise<void>;
}

export interface SessionRequestOptions {
  /** @default what is left of `--timeout` */
  timeoutMs?: number;
  /** Waits for the second answer of a call that answers twice. @default false */
  expectFinal?: boolean;
}

/**
 * Connects, does the work, closes.
 *
 * @throws {CliError} for every failure of the connection or of a call in it
 */
export async function withGateway<T>(
  context: CommandContext,
  options: SessionOptions,
  work: (session: GatewaySession) => Promise<T>,
): Promise<T> {
  const gateway = options.gateway ?? (await chooseGateway(context, options));
  const timeoutMs = options.timeoutMs ?? context.integer("timeout") ?? 10_000;
  const startedAt = performance.now();
  // Without SSH there is nothing to clean up.
  const interruption = createInterruption(context.io, gateway.target.via !== undefined);
  let way: Way | undefined;
  let client: GatewayClient | undefined;
  try {
    const opened = await openWayTo(gateway.target, context, timeoutMs, interruption);
    way = opened?.way;
    const deadlineAt = startedAt + timeoutMs + (opened?.askedMs ?? 0);
    const left = (): number => Math.max(1, Math.ceil(deadlineAt - performance.now()));
    client = await interruption.guard(
      connectPatiently(
        () => connect(context, gateway, options, left(), way, interruption.signal),
        left,
      ),
    );
    const open = client;
    // Work that stops at Ctrl-C by itself knows better how.
    if (options.isLong === true) interruption.release();
    const connectLatencyMs = Math.round(performance.now() - startedAt);
    const session: GatewaySession = {
      client: open,
      gateway,
      connectLatencyMs,
      engine: engineOf(way),
      // A peer of an older generation may leave out what the types call certain.
      serves: (method) => open.hello?.features?.methods?.includes(method) ?? false,
      request: <R>(method: string, params: object = {}, own: SessionRequestOptions = {}) =>
        open.request<R>(method, params, {
          timeoutMs: own.timeoutMs ?? left(),
          expectFinal: own.expectFinal,
        }),
      leave: async () => way?.close(),
    };
    return await interruption.guard(work(session));
  } catch (error) {
    throw await explainSessionFailure(error, { context, gateway, timeoutMs });
  } finally {
    interruption.release();
    await client?.close();
    await way?.close();
  }
}

function engineOf(way: Way | undefined): string | undefined {
  const state = way?.tunnel.state;
  return state?.kind === "open" ? state.engine.name : undefined;
}

async function explainSessionFailure(error: unknown, where: FailureContext): Promise<unknown> {
  // A channel that could not be opened is the tunnel's to tell.
  const cause = error instanceof GatewayError ? error.cause : undefined;
  if (readWayFailure(cause) !== undefined) return explainWayFailure(cause, where.gateway.target);
  return explainFailure(error, where);
}

/** A Gateway that is just starting says when to come back; there is time for that. */
async function connectPatiently(
  connectOnce: () => Promise<GatewayClient>,
  leftMs: () => number,
): Promise<GatewayClient> {
  for (;;) {
    try {
      // oxlint-disable-next-line no-await-in-loop
      return await connectOnce();
    } catch (error) {
      const pauseMs =
        error instanceof GatewayError && !error.final ? error.retryAfterMs : undefined;
      if (pauseMs === undefined || pauseMs >= leftMs()) throw error;
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

/** One attempt to connect as a command does; the failure is not explained yet. */
export async function connect(
  context: CommandContext,
  { target, credentials }: ChosenGateway,
  { scopes, caps = [], isProbe = false, isLong = false }: SessionOptions,
  timeoutMs: number,
  way: Pick<Way, "client"> | undefined,
  signal: AbortSignal,
): Promise<GatewayClient> {
  const { token, password } = credentials;
  const hasSecret = token !== undefined || password !== undefined;
  const isLocal = isLocalTarget(target);
  // On this machine the secret alone is proof enough; elsewhere the Gateway wants to know the device.
  const isDeviceless = isLocal && (hasSecret || isProbe);
  const device = isDeviceless ? undefined : await loadDevice(context, target, isProbe);
  return connectGateway({
    url: target.url,
    token,
    password,
    ...(device === undefined ? {} : { identity: device.identity, deviceStore: device.store }),
    scopes,
    caps,
    client: { id: "cli", mode: isProbe && !isLocal ? "probe" : "cli", version: VERSION },
    connectTimeoutMs: timeoutMs,
    requestTimeoutMs: timeoutMs,
    // A short command is over before a silent line would matter, and its deadline watches it anyway.
    ...(isLong ? {} : { keepalive: false as const }),
    // It does not come back, so a command need not wait for it.
    ...(way === undefined ? {} : { dial: way.client.dial, endpointKey: way.client.endpointKey }),
    allowInsecureUrl: isEnvSwitchOn(context.env, "OPENCLAW_ALLOW_INSECURE_PRIVATE_WS"),
    tlsFingerprint: target.tlsFingerprint,
    signal,
  });
}

async function loadDevice(
  context: CommandContext,
  { url, endpointKey }: GatewayTarget,
  isProbe: boolean,
): Promise<{ identity: DeviceIdentity; store: DeviceTokenStore } | undefined> {
  const { loadDevice: load } = await import("./device.ts");
  const checked = checkGatewayUrl(url, { allowInsecure: true });
  const endpoint = endpointKey ?? (checked.ok ? checked.address.endpoint : url);
  return load(stateFiles(context.paths.stateDir), { endpoint, onlyIfPaired: isProbe });
}
