import { buildConnectParams } from "@openclaw/testkit";
import type { Challenge, ConnectOptions } from "@openclaw/testkit";
import { WebSocket } from "ws";

/** What the load generator reads of a frame. */
interface WireFrame {
  type: string;
  id?: string;
  ok?: boolean;
  event?: string;
  payload?: unknown;
  error?: { code: string; message: string };
}

/**
 * The load generator's socket: the same thin code for the echo server and for every Gateway, so that
 * what it costs is in both sides of a ratio.
 */
export interface WireClient {
  /** The hello payload; undefined for the echo server. */
  readonly hello: Record<string, unknown> | undefined;
  /** Sends a frame as it is. */
  send(text: string): void;
  /** Called for each response, with the reason when it says `ok: false`. */
  onResponse: (failure: Error | undefined, payload: unknown) => void;
  /** Sends one request and waits for its answer; not while a load runs. */
  call(method: string, params: unknown): Promise<unknown>;
  close(): Promise<void>;
}

/** Options of {@link connectWire}. */
export interface WireClientOptions {
  /** `false` for the echo server. */
  connect: ConnectOptions | false;
  /** The only authority to trust on `wss:`, in PEM. @default those of Node */
  ca?: string | undefined;
  /** Time until the hello. @default 20_000 */
  deadlineMs?: number;
}

/** Opens a socket and does the handshake. */
export async function connectWire(
  url: string,
  { connect, ca, deadlineMs = 20_000 }: WireClientOptions,
): Promise<WireClient> {
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    skipUTF8Validation: true,
    ...(ca === undefined ? {} : { ca }),
  });
  const deadline = setTimeout(() => socket.terminate(), deadlineMs);
  const ended = new Promise<never>((_, reject) => {
    socket.once("error", reject);
    socket.once("close", (code, reason) =>
      reject(new Error(`${url} closed the socket with ${code} ${reason.toString("utf8")}`)),
    );
  });
  ended.catch(() => undefined);
  const challenge = Promise.withResolvers<Challenge>();

  const client: WireClient & { hello: Record<string, unknown> | undefined } = {
    hello: undefined,
    send: (text) => socket.send(text),
    onResponse: () => undefined,
    call(method, params) {
      const answer = new Promise((resolve, reject) => {
        client.onResponse = (failure, payload) => (failure ? reject(failure) : resolve(payload));
      });
      socket.send(JSON.stringify({ type: "req", id: `call:${method}`, method, params }));
      return Promise.race([answer, ended]);
    },
    async close() {
      socket.terminate();
      await ended.catch(() => undefined);
    },
  };

  socket.on("message", (data: Buffer) => {
    // The frames of a load are ours to shape; events and hellos are the Gateway's.
    const frame = JSON.parse(data.toString("utf8")) as WireFrame;
    if (frame.type === "res") {
      const { error } = frame;
      client.onResponse(
        frame.ok === true ? undefined : new Error(`${error?.code} ${error?.message}`),
        frame.payload,
      );
    } else if (frame.event === "connect.challenge") {
      challenge.resolve(frame.payload as Challenge);
    }
  });

  try {
    await Promise.race([new Promise<void>((resolve) => socket.once("open", resolve)), ended]);
    if (connect) {
      const params = buildConnectParams(connect, await Promise.race([challenge.promise, ended]));
      client.hello = (await client.call("connect", params)) as Record<string, unknown>;
    }
  } catch (error) {
    socket.terminate();
    throw error;
  } finally {
    clearTimeout(deadline);
  }
  return client;
}
