import type { Duplex } from "node:stream";
import ssh2, { type Client } from "ssh2";
import crypto from "ssh2/lib/protocol/crypto.js";
import { TunnelError } from "../../errors.ts";
import type { SshSettings } from "../../settings/ssh-settings.ts";
import { formatSshTarget } from "../../target.ts";
import type { EngineInfo, EngineOptions, ShownHostKey, SshConnection } from "../engine.ts";
import { chooseAlgorithms } from "./algorithms.ts";
import { planAuthentication } from "./authentication/plan-authentication.ts";
import { type Channels, createChannels } from "./channels.ts";
import { startConnectDeadline } from "./connect-deadline.ts";
import { dial } from "./dial.ts";
import { speedUpCiphers } from "./fast-cipher.ts";
import { type ConnectStage, notSsh, toTunnelError } from "./failures.ts";
import { prepareHostVerification } from "./host-verification.ts";
import { internalsOf } from "./internals.ts";
import { type Liveness, watchLiveness } from "./keepalive.ts";
import { lowerLatency } from "./low-latency.ts";
import { runRemoteCommand } from "./remote-command.ts";

/** The one that is tested; see `internals.ts`. */
const SSH2_VERSION = "1.17.0";
const CLOSE_TIMEOUT_MS = 500;

/**
 * Connects in this process, through every host of the jump chain.
 *
 * @param reason why this engine was chosen, for people
 * @throws TunnelError, with nothing left behind
 */
export async function openSsh2Connection(
  options: EngineOptions,
  signal: AbortSignal,
  reason: string,
): Promise<SshConnection> {
  const chain: Hop[] = [];
  try {
    for (const settings of [...options.hops, options.settings]) {
      const isTarget = settings === options.settings;
      // Each host is reached through the one before.
      // oxlint-disable-next-line no-await-in-loop
      chain.push(await openHop(chain.at(-1), settings, options, signal, isTarget));
    }
  } catch (error) {
    for (const hop of chain.toReversed()) hop.client.destroy();
    throw error;
  }
  return connectionOver(chain, options, reason);
}

/** One authenticated host. */
interface Hop {
  readonly client: Client;
  readonly channels: Channels;
  readonly socket: Duplex;
  readonly place: string;
  readonly hostKey: ShownHostKey;
  readonly cipher: string | undefined;
  readonly serverVersion: string | undefined;
  /** Settles with the cause when the connection has ended. */
  readonly ended: Promise<TunnelError>;
}

async function openHop(
  previous: Hop | undefined,
  settings: SshSettings,
  options: EngineOptions,
  signal: AbortSignal,
  isTarget: boolean,
): Promise<Hop> {
  const place = placeOf(settings);
  const given = new AbortController();
  let stage: ConnectStage = "connect";
  const deadline = startConnectDeadline(options.connectTimeoutMs, options.authentication, () => {
    const error = new TunnelError(
      "TIMED_OUT",
      `${place} did not answer within ${options.connectTimeoutMs} ms (${stage}).`,
      { details: { stage } },
    );
    given.abort(error);
  });
  const both = AbortSignal.any([signal, given.signal]);
  try {
    both.throwIfAborted();
    const verification = await prepareHostVerification(settings, options, isTarget);
    const { algorithms, unsupported } = chooseAlgorithms(settings.algorithms, (offered) =>
      verification.orderAlgorithms(offered),
    );
    if (unsupported.length > 0) {
      options.logger.debug({ unsupported }, "ssh2 lacks algorithms of the ssh config");
    }
    const plan = await planAuthentication({
      settings,
      callbacks: deadline.callbacks,
      logger: options.logger,
      host: settings.hostName,
    });
    try {
      const socket = previous
        ? await previous.channels.open({ host: settings.hostName, port: settings.port }, both)
        : await dial(settings, both);
      stage = "handshake";
      return await authenticate();

      function authenticate(): Promise<Hop> {
        return new Promise((resolve, reject) => {
          const client = new ssh2.Client();
          let hostKey: ShownHostKey | undefined;
          let cipher: string | undefined;
          let cause: unknown;
          const ended = Promise.withResolvers<TunnelError>();
          const abort = (): void => fail(both.reason);
          let greeting: Buffer | undefined;
          const fail = (error: unknown): void => {
            both.removeEventListener("abort", abort);
            cause ??= error;
            client.destroy();
            socket.destroy();
            reject(cause instanceof Error ? cause : toTunnelError(cause, place, stage));
          };
          both.addEventListener("abort", abort, { once: true });
          if (both.aborted) return abort();

          client.on("error", (error: Error & { level?: string }) => {
            // One key that cannot sign is not the end: the next method is tried.
            if (error.level === "agent") return;
            if (cause === undefined) {
              cause =
                error.level === "client-authentication"
                  ? plan.failure()
                  : toTunnelError(error, place, stage);
            }
          });
          client.on("close", () => {
            const isStranger =
              greeting !== undefined && !greeting.toString("latin1").startsWith("SSH-");
            const error =
              stage === "handshake" && isStranger
                ? notSsh(place, cause)
                : toTunnelError(cause ?? new Error("closed by the far side"), place, stage);
            cause = error;
            ended.resolve(error);
            fail(error);
          });
          // A channel of another connection ends one direction at a time.
          client.on("end", () => void socket.end());
          client.on("handshake", (negotiated) => {
            if (stage === "handshake") stage = "authentication";
            cipher = negotiated.cs.cipher;
          });
          client.once("ready", () => {
            both.removeEventListener("abort", abort);
            stage = "keepalive";
            const channels = createChannels(internalsOf(client));
            if (hostKey === undefined) return fail(new Error("no host key was shown"));
            const { _remoteVer } = client as unknown as { _remoteVer?: string };
            resolve({
              client,
              channels,
              socket,
              place,
              hostKey,
              cipher,
              serverVersion: _remoteVer,
              ended: ended.promise,
            });
          });
          try {
            client.connect({
              sock: socket,
              username: settings.user,
              algorithms,
              authHandler: plan.handler,
              readyTimeout: 0,
              keepaliveInterval: 0,
              hostVerifier: (key: Buffer, verified: (isAccepted: boolean) => void) => {
                verification.verify(key).then(
                  (shown) => {
                    hostKey = shown;
                    verified(true);
                  },
                  (error: unknown) => {
                    cause ??= error;
                    verified(false);
                  },
                );
              },
            });
            // ssh2 has paused it, and takes the same bytes when it is ready.
            socket.once("data", (data: Buffer) => (greeting = data));
            plan.install(client);
            if (!crypto.bindingAvailable) speedUpCiphers(client);
          } catch (error) {
            fail(error);
          }
        });
      }
    } finally {
      plan.dispose();
    }
  } catch (error) {
    throw onTheWay(error, place, stage, isTarget);
  } finally {
    deadline.clear();
  }
}

/** Names the host of the chain that failed, when it was not the target. */
function onTheWay(error: unknown, place: string, stage: ConnectStage, isTarget: boolean): unknown {
  const failure =
    error instanceof DOMException || (error instanceof Error && error.name === "AbortError")
      ? error
      : toTunnelError(error, place, stage);
  if (isTarget || !(failure instanceof TunnelError)) return failure;
  return new TunnelError(failure.code, `jump host ${place}: ${failure.message}`, {
    cause: failure.cause,
    hint: failure.hint,
    details: { ...failure.details, hop: place },
  });
}

function connectionOver(
  chain: readonly Hop[],
  options: EngineOptions,
  reason: string,
): SshConnection {
  const last = chain.at(-1);
  if (last === undefined) throw new Error("a connection has at least one host");
  const { client, channels, socket, place } = last;
  let isClosing = false;
  let closing: Promise<void> | undefined;
  let silence: TunnelError | undefined;
  const { bytesReceived } = countBytes(socket);
  const liveness: Liveness = watchLiveness({
    intervalMs: options.keepaliveIntervalMs,
    countMax: options.keepaliveCountMax,
    bytesReceived,
    bytesUnsent: () => socket.writableLength,
    ask: () => internalsOf(client).protocol.ping(),
    dead: () => {
      const withinMs = options.keepaliveIntervalMs * options.keepaliveCountMax;
      wentSilent(`no sign of life from ${place} within ${withinMs} ms.`);
    },
  });
  const stopLowLatency = lowerLatency(client, options.logger);

  function wentSilent(message: string): void {
    silence ??= new TunnelError("TIMED_OUT", message, { details: { stage: "keepalive" } });
    terminate();
  }

  function terminate(): void {
    for (const hop of chain.toReversed()) {
      hop.client.destroy();
      hop.socket.destroy();
    }
  }

  // The hosts on the way end with the target, and the target with them.
  const closed = Promise.race(chain.map((hop) => hop.ended)).then(async (error) => {
    liveness.stop();
    stopLowLatency();
    channels.lost(silence ?? error, isClosing);
    terminate();
    await Promise.all(chain.map((hop) => hop.ended));
    return isClosing ? undefined : (silence ?? error);
  });

  return {
    info: infoOf(last, reason),
    connect: (destination, { signal } = {}) => {
      if (!socket.writable) return Promise.reject(lostError(place));
      return channels.open(destination, signal);
    },
    run(command, runOptions) {
      if (!socket.writable) return Promise.reject(lostError(place));
      return runRemoteCommand(client, command, runOptions);
    },
    async probe(timeoutMs) {
      try {
        await liveness.probe(timeoutMs);
      } catch (cause) {
        wentSilent(`no sign of life from ${place} within ${timeoutMs} ms.`);
        throw silence ?? cause;
      }
    },
    close() {
      closing ??= (async () => {
        isClosing = true;
        client.end();
        const timer = setTimeout(terminate, CLOSE_TIMEOUT_MS);
        await closed;
        clearTimeout(timer);
      })();
      return closing;
    },
    terminate() {
      isClosing = true;
      terminate();
    },
    closed,
  };
}

/** Counts what arrives on any stream; a socket does so by itself. */
function countBytes(stream: Duplex): { bytesReceived: () => number } {
  if ("bytesRead" in stream) {
    return { bytesReceived: () => (stream as Duplex & { bytesRead: number }).bytesRead };
  }
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  return { bytesReceived: () => bytes };
}

function infoOf({ hostKey, cipher, serverVersion }: Hop, reason: string): EngineInfo {
  return {
    name: "ssh2",
    version: SSH2_VERSION,
    reason,
    cryptography: crypto.bindingAvailable ? "native" : "javascript",
    cipher,
    serverVersion,
    hostKey,
  };
}

function placeOf({ target, hostName, port }: SshSettings): string {
  const place = formatSshTarget({ host: hostName, port });
  return target.host === hostName ? place : `${target.host} (${place})`;
}

function lostError(place: string): TunnelError {
  return new TunnelError("CONNECTION_LOST", `the connection to ${place} is gone.`);
}
