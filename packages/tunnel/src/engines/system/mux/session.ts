import { TunnelError } from "../../../errors.ts";
import type { RemoteCommandOptions, RemoteCommandResult } from "../../engine.ts";
import type { ChannelLink, SessionEvents } from "./channel-link.ts";
import { MESSAGE, type MessageReader } from "./messages.ts";

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_OUTPUT_BYTES = 1024 * 1024;
/** What the far side may send ahead of us. */
const WINDOW_BYTES = 1024 * 1024;
const PACKET_BYTES = 32 * 1024;

/** A session that ends with its own last message. */
interface Session {
  exec(command: string): void;
  sendEof(): void;
  /** Asks the far side to end what runs, and closes. */
  abandon(): void;
}

interface SessionCallbacks {
  opened(session: Session): void;
  refused(description: string): void;
  data?(data: Buffer, stream: "stdout" | "stderr"): void;
  request?(name: string, message: MessageReader): void;
  answered?(isAccepted: boolean): void;
  closed(): void;
}

/**
 * Runs one command in a session of its own, without a terminal and without any variable of this
 * machine.
 *
 * @throws {@link TunnelError} `COMMAND_REFUSED`, `TIMED_OUT`, `CONNECTION_LOST`
 */
export function runRemoteCommand(
  link: ChannelLink,
  lost: Promise<unknown>,
  command: string,
  options: RemoteCommandOptions = {},
): Promise<RemoteCommandResult> {
  const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const { maxOutputBytes = DEFAULT_MAX_OUTPUT_BYTES } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const output = { stdout: collect(maxOutputBytes), stderr: collect(maxOutputBytes) };
    const exit: { code: number | null; signal: string | null } = { code: null, signal: null };
    let session: Session | undefined;
    let isSettled = false;
    const settle = (): boolean => {
      if (isSettled) return false;
      isSettled = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      return true;
    };
    const fail = (error: unknown): void => {
      if (!settle()) return;
      session?.abandon();
      reject(error);
    };
    const abort = (): void => fail(signal?.reason);
    const timer = setTimeout(() => {
      const message = `the remote command did not end within ${timeoutMs} ms.`;
      fail(new TunnelError("TIMED_OUT", message, { details: { stage: "command" } }));
    }, timeoutMs);
    signal?.addEventListener("abort", abort, { once: true });
    void lost.then(() => {
      fail(new TunnelError("CONNECTION_LOST", "the connection broke while the command ran."));
    });

    openSession(link, {
      opened(opened) {
        session = opened;
        if (isSettled) opened.abandon();
        else opened.exec(command);
      },
      refused: (description) => fail(refusal(description)),
      answered: (isAccepted) => {
        if (isAccepted) session?.sendEof();
        else fail(refusal("the request was denied"));
      },
      data: (data, stream) => output[stream].add(data),
      request: (name, message) => {
        if (name === "exit-status") exit.code = message.number();
        if (name === "exit-signal") exit.signal = `SIG${message.text().replace(/\W/gu, "")}`;
      },
      closed() {
        if (!settle()) return;
        resolve({
          exitCode: exit.code,
          signal: exit.signal,
          stdout: output.stdout.text(),
          stderr: output.stderr.text(),
        });
      },
    });
  });
}

/**
 * Resolves at the next word of the far side. It is asked to open a session, which does nothing and is
 * closed at once; whether it agrees or refuses, it is there. A global request would be the usual
 * question, but a master does not pass those on.
 */
export function askFarSide(link: ChannelLink): Promise<void> {
  return new Promise((resolve) => {
    openSession(link, {
      opened(session) {
        resolve();
        session.abandon();
      },
      refused: () => resolve(),
      closed: () => {},
    });
  });
}

function openSession(link: ChannelLink, callbacks: SessionCallbacks): void {
  let remote: number | undefined;
  let hasSentClose = false;
  let isExecuting = false;
  let unread = 0;
  const close = (): void => {
    if (hasSentClose || remote === undefined) return;
    hasSentClose = true;
    link.send(MESSAGE.channelClose, remote);
  };
  const session: Session = {
    exec(command) {
      isExecuting = true;
      if (remote !== undefined) link.send(MESSAGE.channelRequest, remote, "exec", true, command);
    },
    sendEof() {
      if (remote !== undefined && !hasSentClose) link.send(MESSAGE.channelEof, remote);
    },
    abandon() {
      if (remote === undefined || hasSentClose) return;
      // A program that neither reads nor writes would not notice the close.
      if (isExecuting) link.send(MESSAGE.channelRequest, remote, "signal", false, "TERM");
      close();
    },
  };
  const events: SessionEvents = {
    opened(confirmation) {
      remote = confirmation.sender;
      callbacks.opened(session);
    },
    refused(_, description) {
      link.forget(channel);
      callbacks.refused(description);
    },
    data(data, stream) {
      callbacks.data?.(data, stream);
      unread += data.length;
      if (unread < WINDOW_BYTES / 2 || remote === undefined || hasSentClose) return;
      link.send(MESSAGE.channelWindowAdjust, remote, unread);
      unread = 0;
    },
    request(name, wantsReply, message) {
      callbacks.request?.(name, message);
      // sshd asks so whether we are alive, and ends who leaves it unanswered.
      if (wantsReply && remote !== undefined && !hasSentClose) {
        link.send(MESSAGE.channelFailure, remote);
      }
    },
    answered: (isAccepted) => callbacks.answered?.(isAccepted),
    closed() {
      close();
      link.forget(channel);
      callbacks.closed();
    },
  };
  const channel = link.openSession(WINDOW_BYTES, PACKET_BYTES, events);
}

function refusal(description: string): TunnelError {
  const said = description === "" ? "it gives no reason" : description;
  return new TunnelError("COMMAND_REFUSED", `the SSH server runs no command: ${said}.`, {
    hint: "A forced command or a restricted key may be the reason.",
  });
}

/** Collects bytes up to a limit; what is beyond is dropped. */
function collect(maxBytes: number): { add(data: Buffer): void; text(): string } {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return {
    add(data) {
      const kept = data.subarray(0, Math.max(0, maxBytes - bytes));
      bytes += kept.length;
      // A copy: a view would keep the whole of what was read alive.
      if (kept.length > 0) chunks.push(Buffer.from(kept));
    },
    text: () => Buffer.concat(chunks).toString("utf8"),
  };
}
