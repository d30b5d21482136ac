import type { Socket } from "node:net";
import { TunnelError } from "../../errors.ts";
import type { EngineInfo, EngineOptions, SshConnection } from "../engine.ts";
import { createChannels } from "../ssh2/channels.ts";
import { watchLiveness } from "../ssh2/keepalive.ts";
import { createChannelLink } from "./mux/channel-link.ts";
import type { ControlConnection } from "./mux/control-connection.ts";
import { askFarSide, runRemoteCommand } from "./mux/session.ts";
import { createWindowShares } from "./mux/window-shares.ts";
import type { ChildExit, SshChild } from "./ssh-child.ts";

/** After SIGTERM; a `close()` has a second altogether. */
const GOODBYE_MS = 400;
/** ssh follows its last connection; this is for when it does not. */
const FOLLOW_MS = 1000;
/**
 * ssh keeps an entry for each channel that was refused, and gets slower with each and breaks down at
 * 16384. Before that the connection is renewed, at a moment when nobody uses it.
 */
const MAX_REFUSED_CHANNELS = 2048;

/** What a master gave us. */
export interface SharedMaster {
  readonly control: ControlConnection;
  readonly socket: Socket;
  readonly received: Buffer;
}

export interface SharedConnectionInput extends SharedMaster {
  readonly child: SshChild;
  readonly options: EngineOptions;
  readonly info: EngineInfo;
  readonly place: string;
  /** Explains the end of ssh. */
  readonly causeOf: (exit: ChildExit) => Promise<TunnelError>;
  readonly cleanUp: () => Promise<void>;
}

/** An authenticated connection through a master. */
export function sharedConnection(input: SharedConnectionInput): SshConnection {
  const { control, socket, received, child, options, place } = input;
  let isClosing = false;
  let closing: Promise<void> | undefined;
  /** What we know better than ssh, which only gets killed for it. */
  let ownCause: TunnelError | undefined;
  const gone = Promise.withResolvers<TunnelError>();

  const link = createChannelLink(socket, received, (cause) => {
    endWith(new TunnelError("CONNECTION_LOST", `${place} sends what is no SSH.`, { cause }));
  });
  const channels = createChannels(link.internals, createWindowShares());

  let answers = 0;
  const countAnswer = (): void => void (answers += 1);
  // ssh asks the far side; who is asked here is ssh itself, which may stand still.
  const liveness = watchLiveness({
    intervalMs: options.keepaliveIntervalMs,
    countMax: options.keepaliveCountMax,
    bytesReceived: () => link.bytesRead + answers,
    bytesUnsent: () => socket.writableLength,
    ask: () => void control.checkAlive().then(countAnswer, () => {}),
    dead: () => endWith(silent("ssh itself stands still")),
  });

  socket.on("error", () => {});
  socket.on("close", () => {
    channels.lost(ownCause ?? lost(), isClosing);
    gone.resolve(ownCause ?? lost());
    // It ends with its last connection, unless it stands still.
    control.destroy();
    const timer = setTimeout(() => child.kill(), FOLLOW_MS);
    timer.unref();
    void child.ended.then(() => clearTimeout(timer));
  });

  const closed = child.ended.then(async (exit) => {
    liveness.stop();
    const cause = isClosing ? undefined : (ownCause ?? (await input.causeOf(exit)));
    const error = cause ?? lost();
    gone.resolve(error);
    channels.lost(error, isClosing);
    socket.destroy();
    control.destroy();
    await input.cleanUp();
    return cause;
  });

  function endWith(cause: TunnelError): void {
    ownCause ??= cause;
    child.kill();
  }

  function lost(): TunnelError {
    return new TunnelError("CONNECTION_LOST", `the connection to ${place} is gone.`);
  }

  function silent(what: string): TunnelError {
    return new TunnelError("TIMED_OUT", `no sign of life from ${place}: ${what}.`, {
      details: { stage: "keepalive" },
    });
  }

  function renewWhenIdle(): void {
    if (link.refusedChannels < MAX_REFUSED_CHANNELS) return;
    if (channels.count + link.sessions > 0) return;
    const message = `the connection to ${place} is renewed after ${link.refusedChannels} refused channels.`;
    endWith(new TunnelError("CONNECTION_LOST", message));
  }

  return {
    info: input.info,
    async connect(destination, { signal } = {}) {
      signal?.throwIfAborted();
      if (!socket.writable) throw lost();
      try {
        return await channels.open(destination, signal);
      } catch (error) {
        renewWhenIdle();
        throw error;
      }
    },
    async run(command, runOptions) {
      if (!socket.writable) throw lost();
      return runRemoteCommand(link, gone.promise, command, runOptions);
    },
    async probe(timeoutMs) {
      if (!socket.writable) throw lost();
      const { promise: tooLate, resolve: giveUp } = Promise.withResolvers<"late">();
      const timer = setTimeout(giveUp, timeoutMs, "late");
      try {
        const outcome = await Promise.race([askFarSide(link), tooLate, gone.promise]);
        if (outcome === undefined) return;
        if (outcome !== "late") throw outcome;
        endWith(silent(`nothing came within ${timeoutMs} ms`));
        throw ownCause ?? lost();
      } finally {
        clearTimeout(timer);
      }
    },
    close() {
      closing ??= (async () => {
        isClosing = true;
        liveness.stop();
        child.sendTerm();
        const timer = setTimeout(() => child.kill(), GOODBYE_MS);
        await closed;
        clearTimeout(timer);
      })();
      return closing;
    },
    terminate() {
      isClosing = true;
      child.kill();
      socket.destroy();
    },
    closed,
  };
}
