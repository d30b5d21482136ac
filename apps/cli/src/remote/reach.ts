import { lookup } from "node:dns/promises";
import { connect, isIP, type Socket } from "node:net";
import { messageOf } from "@openclaw/app-kit";
import { StepFailure, type Taken } from "./walk.ts";

/** Every SSH server begins with its name. */
const SSH_GREETING = "SSH-";
/** A greeting longer than this is none. */
const MAX_GREETING_BYTES = 4_096;

/** @throws {StepFailure} `NAME_NOT_RESOLVED` */
export async function resolveName(host: string): Promise<Taken<undefined>> {
  if (isIP(host) !== 0) return { value: undefined, detail: `${host} is an address` };
  try {
    const addresses = await lookup(host, { all: true });
    const shown = [...new Set(addresses.map(({ address }) => address))].slice(0, 3).join(", ");
    return { value: undefined, detail: `${host} is ${shown}` };
  } catch (error) {
    throw new StepFailure(`the name ${host} has no address.`, {
      code: "NAME_NOT_RESOLVED",
      hint: "Check the spelling, the network and, if there is one, the VPN.",
      cause: error,
    });
  }
}

export interface ReachOptions {
  timeoutMs: number;
  signal: AbortSignal;
}

/**
 * Connects to a port and closes again.
 *
 * @throws {StepFailure} `CONNECTION_REFUSED`, `TIMED_OUT`, `UNREACHABLE`
 */
export async function reachPort(
  host: string,
  port: number,
  options: ReachOptions,
): Promise<Taken<undefined>> {
  const socket = await dial(host, port, options);
  socket.destroy();
  return { value: undefined, detail: `${host}:${port}` };
}

/**
 * Connects to a port and reads how the server calls itself.
 *
 * @throws {StepFailure} as {@link reachPort}, and `NOT_SSH`
 */
export async function reachSshPort(
  host: string,
  port: number,
  options: ReachOptions,
): Promise<Taken<undefined>> {
  const socket = await dial(host, port, options);
  const abort = (): void => void socket.destroy(options.signal.reason as Error);
  options.signal.addEventListener("abort", abort, { once: true });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    socket.destroy();
  }, options.timeoutMs);
  let text = "";
  try {
    for await (const chunk of socket) {
      text += (chunk as Buffer).toString("latin1");
      // A server may say something before its greeting, line by line.
      // What follows its line at once, as the key exchange may, is no part of it.
      const lines = text.split(/\r?\n/u).slice(0, -1);
      const greeting = lines.find((line) => line.startsWith(SSH_GREETING));
      if (greeting !== undefined) {
        return { value: undefined, detail: `${host}:${port} is ${greeting}` };
      }
      if (text.length > MAX_GREETING_BYTES) break;
    }
  } catch (error) {
    options.signal.throwIfAborted();
    if (!isLate) throw unreachable(host, port, error);
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", abort);
    socket.destroy();
  }
  options.signal.throwIfAborted();
  const what = text === "" ? "says nothing" : "is no SSH server";
  throw new StepFailure(`what listens on ${host}:${port} ${what}.`, {
    code: text === "" ? "TIMED_OUT" : "NOT_SSH",
    hint: "Check the port: me@box:2222 names another than 22.",
  });
}

function dial(host: string, port: number, { timeoutMs, signal }: ReachOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect({ host, port });
    const fail = (error: unknown): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const abort = (): void => fail(signal.reason);
    const timer = setTimeout(
      () =>
        fail(
          new StepFailure(`${host}:${port} did not answer within ${timeoutMs} ms.`, {
            code: "TIMED_OUT",
            hint: "Check that the machine runs, and the firewalls on the way.",
          }),
        ),
      timeoutMs,
    );
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      socket.removeAllListeners();
    };
    signal.addEventListener("abort", abort, { once: true });
    socket.once("error", (error) => fail(unreachable(host, port, error)));
    socket.once("connect", () => {
      settle();
      resolve(socket);
    });
  });
}

function unreachable(host: string, port: number, cause: unknown): StepFailure {
  if (String((cause as { code?: unknown }).code) === "ECONNREFUSED") {
    return new StepFailure(`nothing listens on ${host}:${port}.`, {
      code: "CONNECTION_REFUSED",
      hint: "Check that the server runs there, and that this is its port.",
      cause,
    });
  }
  return new StepFailure(`cannot reach ${host}:${port}: ${messageOf(cause)}.`, {
    code: "UNREACHABLE",
    hint: "Check the network and, if there is one, the VPN.",
    cause,
  });
}
