import type { Duplex } from "node:stream";
import ssh2, { type Client } from "ssh2";
import { TunnelError } from "../../errors.ts";
import type { SshSettings } from "../../settings/ssh-settings.ts";
import { formatSshTarget } from "../../target.ts";
import type { EngineOptions, ShownHostKey } from "../engine.ts";
import { type AlgorithmChoice, chooseAlgorithms } from "./algorithms.ts";
import type { AuthenticationPlan } from "./authentication/plan-authentication.ts";
import { type Channels, createChannels } from "./channels.ts";
import { startConnectDeadline } from "./connect-deadline.ts";
import { keepGreetingWhole } from "./greeting.ts";
import { type ConnectStage, notSsh, toTunnelError } from "./failures.ts";
import type { HostVerification } from "./host-verification.ts";
import { internalsOf } from "./internals.ts";
import { prepareLogin } from "./prepare-login.ts";
import { limitReplies } from "./reply-limit.ts";
import { cleanServerTexts, serverText } from "./server-text.ts";
import { tuneCiphers } from "./tune-ciphers.ts";

/** From our end of a connection to the end of the connection. */
const LINGER_MS = 500;

/** One host of a chain, authenticated. */
export interface Hop {
  readonly client: Client;
  readonly channels: Channels;
  readonly socket: Duplex;
  /** For messages. */
  readonly place: string;
  readonly hostKey: ShownHostKey;
  readonly cipher: string | undefined;
  readonly serverVersion: string | undefined;
  /** Settles with the cause when the connection has ended. */
  readonly ended: Promise<TunnelError>;
}

export interface HopOptions {
  /** The host to go through; undefined for the first. */
  readonly previous: Hop | undefined;
  readonly settings: SshSettings;
  readonly isTarget: boolean;
  readonly engine: EngineOptions;
  readonly signal: AbortSignal;
}

/** What an attempt has come to, for its errors. */
interface Progress {
  readonly place: string;
  stage: ConnectStage;
}

/**
 * Dials one host, checks its key, authenticates.
 *
 * @throws TunnelError, with nothing left behind
 */
export async function openHop(options: HopOptions): Promise<Hop> {
  const { settings, engine, isTarget } = options;
  const progress: Progress = { place: placeOf(settings), stage: "connect" };
  const expired = new AbortController();
  const deadline = startConnectDeadline(engine.connectTimeoutMs, () => {
    const { place, stage } = progress;
    expired.abort(
      new TunnelError(
        "TIMED_OUT",
        `${place} did not answer within ${engine.connectTimeoutMs} ms (${stage}).`,
        { details: { stage } },
      ),
    );
  });
  const signal = AbortSignal.any([options.signal, expired.signal]);
  try {
    signal.throwIfAborted();
    const [verification, plan, socket] = await prepareLogin({
      through: options.previous?.channels,
      settings,
      isTarget,
      engine,
      deadline,
      signal,
    });
    try {
      const choice = chooseAlgorithms(settings.algorithms, (offered) =>
        verification.orderAlgorithms(offered),
      );
      if (choice.unsupported.length > 0) {
        engine.logger.debug(
          { unsupported: choice.unsupported },
          "ssh2 lacks algorithms of the ssh config",
        );
      }
      progress.stage = "handshake";
      return await logIn({ socket, settings, verification, choice, plan, signal, progress });
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      plan.dispose();
    }
  } catch (error) {
    throw onTheWay(error, progress, isTarget);
  } finally {
    deadline.clear();
  }
}

interface LogIn {
  readonly socket: Duplex;
  readonly settings: SshSettings;
  readonly verification: HostVerification;
  readonly choice: AlgorithmChoice;
  readonly plan: AuthenticationPlan;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** The handshake and the authentication over an open stream. */
function logIn(options: LogIn): Promise<Hop> {
  const { socket, settings, verification, choice, plan, signal, progress } = options;
  const { place } = progress;
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    // Every command that runs listens for the end.
    client.setMaxListeners(0);
    const ended = Promise.withResolvers<TunnelError>();
    let hostKey: ShownHostKey | undefined;
    let cipher: string | undefined;
    let greeting: Buffer | undefined;
    /** The first failure; what follows from it says less. */
    let cause: unknown;
    let isOver = false;
    let lingering: ReturnType<typeof setTimeout> | undefined;

    const abort = (): void => fail(signal.reason);
    const fail = (error: unknown): void => {
      isOver = true;
      signal.removeEventListener("abort", abort);
      cause ??= error;
      client.destroy();
      socket.destroy();
      reject(cause instanceof Error ? cause : toTunnelError(cause, place, progress.stage));
    };

    /** We have said our last word; a far side that does not go either is left. */
    function linger(): void {
      lingering ??= setTimeout(() => socket.destroy(), LINGER_MS);
    }

    /** Says yes or no to a host key, which may have taken longer than the connection lasted. */
    function answer(verified: (isAccepted: boolean) => void, isAccepted: boolean): void {
      if (isOver) return;
      try {
        verified(isAccepted);
      } catch (error) {
        fail(error);
      }
    }

    function errorOf(): TunnelError {
      if (cause instanceof TunnelError && cause.final) return cause;
      const isStranger =
        greeting?.toString("latin1").startsWith("SSH-") === false &&
        serverVersionOf(client) === undefined;
      if (progress.stage === "handshake" && isStranger) return notSsh(place, cause);
      if (cause === undefined && progress.stage === "authentication" && plan.isRefusal()) {
        return plan.failure();
      }
      const reason = cause ?? new Error("closed by the far side");
      return toTunnelError(reason, place, progress.stage);
    }

    client.on("error", (error: Error & { level?: string }) => {
      // One key that cannot sign is not the end: the next method is tried.
      if (error.level === "agent") return;
      linger();
      cause ??= plan.isRefusal(error)
        ? plan.failure()
        : toTunnelError(error, place, progress.stage);
    });
    client.on("close", () => {
      clearTimeout(lingering);
      const error = errorOf();
      cause = error;
      ended.resolve(error);
      fail(error);
    });
    // A channel of another connection ends one direction at a time.
    client.on("end", () => {
      isOver = true;
      socket.end();
    });
    socket.once("finish", linger);
    client.on("handshake", (negotiated) => {
      if (progress.stage === "handshake") progress.stage = "authentication";
      cipher = negotiated.cs.cipher;
    });
    client.once("ready", () => {
      signal.removeEventListener("abort", abort);
      progress.stage = "keepalive";
      if (hostKey === undefined) return fail(new Error("no host key was shown"));
      resolve({
        client,
        channels: createChannels(internalsOf(client)),
        socket,
        place,
        hostKey,
        cipher,
        serverVersion: serverVersionOf(client),
        ended: ended.promise,
      });
    });

    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) return abort();
    try {
      client.connect({
        sock: socket,
        username: settings.user,
        algorithms: choice.algorithms,
        authHandler: plan.handler,
        readyTimeout: 0,
        keepaliveInterval: 0,
        hostVerifier: (key: Buffer, verified: (isAccepted: boolean) => void) => {
          verification.verify(key).then(
            (shown) => {
              hostKey = shown;
              answer(verified, true);
            },
            (error: unknown) => {
              cause ??= error;
              answer(verified, false);
            },
          );
        },
      });
      // ssh2 has paused it, and takes the same bytes when it is ready.
      socket.once("data", (data: Buffer) => (greeting = data));
      keepGreetingWhole(client);
      cleanServerTexts(client);
      limitReplies(internalsOf(client));
      plan.install(client);
      tuneCiphers(client);
    } catch (error) {
      fail(error);
    }
  });
}

/** Names the host of the chain that failed, when it was not the target. */
function onTheWay(error: unknown, { place, stage }: Progress, isTarget: boolean): unknown {
  // Whoever gave up has a reason of his own.
  if (error instanceof Error && error.name === "AbortError") return error;
  const failure = toTunnelError(error, place, stage);
  if (isTarget) return failure;
  return new TunnelError(failure.code, `jump host ${place}: ${failure.message}`, {
    cause: failure.cause,
    hint: failure.hint,
    details: { ...failure.details, hop: place },
  });
}

function placeOf({ target, hostName, port }: SshSettings): string {
  const place = formatSshTarget({ host: hostName, port });
  return target.host === hostName ? place : `${target.host} (${place})`;
}

function serverVersionOf(client: Client): string | undefined {
  const { _remoteVer: version } = client as unknown as { _remoteVer?: string };
  return version === undefined ? undefined : serverText(version);
}
