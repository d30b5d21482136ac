import type { Duplex } from "node:stream";
import { TunnelError } from "../../errors.ts";
import type { EngineInfo, EngineOptions, SshConnection } from "../engine.ts";
import { type Hop, openHop } from "./hop.ts";
import { internalsOf } from "./internals.ts";
import { type Liveness, watchLiveness } from "./keepalive.ts";
import { lowerLatency } from "./low-latency.ts";
import { runRemoteCommand } from "./remote-command.ts";
import { cryptography } from "./tune-ciphers.ts";

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
      // Each host is reached through the one before.
      // oxlint-disable-next-line no-await-in-loop
      const hop = await openHop({
        previous: chain.at(-1),
        settings,
        isTarget: settings === options.settings,
        engine: options,
        signal,
      });
      chain.push(hop);
      // Its streams are what the next host is reached through.
      if (settings !== options.settings) void hop.ended.then((error) => hop.channels.lost(error));
    }
  } catch (error) {
    for (const hop of chain.toReversed()) hop.socket.destroy();
    throw error;
  }
  return connectionOver(chain, options, reason);
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
  let isOver = false;
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
  for (const hop of chain) lowerLatency(internalsOf(hop.client));

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
    isOver = true;
    liveness.stop();
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
        // It has ended for a reason of its own meanwhile.
        if (isOver) throw lostError(place);
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
    cryptography,
    cipher,
    serverVersion,
    hostKey,
  };
}

function lostError(place: string): TunnelError {
  return new TunnelError("CONNECTION_LOST", `the connection to ${place} is gone.`);
}
