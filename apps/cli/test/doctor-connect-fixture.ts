import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { expect } from "vitest";
import { type CliFixture, type CliOptions, TOKEN } from "./cli-fixture.ts";

/** What the tests present, and nobody may see. */
export const WRONG_TOKEN = "not-the-token-at-all-0001";
export const PASSWORD = "a-password-of-the-test-suite";
const SECRETS = [TOKEN, WRONG_TOKEN, PASSWORD];

export interface Diagnosis {
  code: number;
  ok: boolean;
  durationMs: number;
  target: { url: string; urlSource: string } | null;
  steps: { name: string; ok: boolean; reached: boolean; detail?: string }[];
  broken?: {
    step: string;
    code: string;
    message: string;
    evidence: Record<string, unknown>;
    fix: string;
    hint?: string;
  };
  notes: { code: string; message: string; fix?: string }[];
  text: string;
}

/** Runs the command as a script does, and checks what holds for every diagnosis. */
export async function diagnose(
  cli: CliFixture,
  args: readonly string[],
  options: CliOptions = {},
): Promise<Diagnosis> {
  const result = await cli.run(["doctor", "connect", "--json", ...args], options);
  const text = result.stdout + result.stderr;
  expectNoSecret(text);
  const document = result.json() as unknown as Omit<Diagnosis, "code" | "text">;
  // A failure of the command itself has no steps.
  expect(document.steps === undefined ? text : "").toBe("");
  expect(document.durationMs).toBeLessThan(5_000);
  expect(document.ok).toBe(result.code === 0);
  const index = document.steps.findIndex(({ ok }) => !ok);
  if (index !== -1) {
    const rest = document.steps.slice(index + 1);
    expect(document.steps[index]).toMatchObject({ reached: true, name: document.broken?.step });
    expect(rest.every(({ ok, reached }) => !ok && !reached)).toBe(true);
    expect(document.broken?.fix).not.toBe("");
  }
  return { ...document, code: result.code, text };
}

/** The broken link, which has to be this one. */
export function expectBroken(
  { broken, text }: Diagnosis,
  step: string,
  code: string,
): NonNullable<Diagnosis["broken"]> {
  const found = { step: broken?.step, code: broken?.code };
  // What else was told is seen only where it is another.
  const isOther = found.step !== step || found.code !== code;
  expect({ ...found, text: isOther ? text : "" }).toEqual({ step, code, text: "" });
  if (broken === undefined) throw new Error("nothing is broken");
  return broken;
}

/** Every link holds. */
export function expectConnected({ ok, text }: Diagnosis): void {
  expect({ ok, text: ok ? "" : text }).toEqual({ ok: true, text: "" });
}

export function expectNoSecret(text: string): void {
  for (const secret of SECRETS) expect(text).not.toContain(secret);
}

export interface TestServer extends AsyncDisposable {
  readonly port: number;
}

/** A plain TCP server that does what a test wants. */
export async function startTcp(
  onSocket: (socket: Socket) => void,
  host = "127.0.0.1",
): Promise<TestServer> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    onSocket(socket);
  });
  return listening(server, host);
}

/** Waits for a server, of any kind, and ends it with the test. */
export async function listening(server: Server, host = "127.0.0.1"): Promise<TestServer> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** One connection of {@link startWebSocket}. */
export interface ServedSocket {
  send(frame: object | string): void;
  /** As they are, framed or not. */
  sendBytes(bytes: Buffer): void;
  close(code: number, reason: string): void;
}

/**
 * A server that opens WebSockets and says what a test wants, which no Gateway would. Frames are short.
 *
 * @param onRequest told of each request of the client, as its params
 */
export function startWebSocket(
  onOpen: (socket: ServedSocket) => void,
  onRequest: (
    request: { id: string; params: Record<string, unknown> },
    socket: ServedSocket,
  ) => void = () => {},
): Promise<TestServer> {
  const http = createHttpServer();
  http.on("upgrade", (request, stream: Socket) => {
    stream.on("error", () => {});
    const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash("sha1").update(key).digest("base64");
    stream.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    const write = (opcode: number, payload: Buffer): void => {
      const length = Buffer.alloc(payload.length < 126 ? 1 : 3);
      if (payload.length < 126) length.writeUInt8(payload.length);
      else {
        length.writeUInt8(126);
        length.writeUInt16BE(payload.length, 1);
      }
      stream.write(Buffer.concat([Buffer.from([0x80 | opcode]), length, payload]));
    };
    const served: ServedSocket = {
      sendBytes: (bytes) => void stream.write(bytes),
      send: (frame) =>
        write(1, Buffer.from(typeof frame === "string" ? frame : JSON.stringify(frame))),
      close(code, reason) {
        const payload = Buffer.alloc(2);
        payload.writeUInt16BE(code);
        write(8, Buffer.concat([payload, Buffer.from(reason)]));
        stream.end();
      },
    };
    let bytes: Buffer = Buffer.alloc(0);
    stream.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (const text of takeTexts()) {
        const { id, params } = JSON.parse(text) as { id: string; params: Record<string, unknown> };
        onRequest({ id, params }, served);
      }
    });
    onOpen(served);

    function* takeTexts(): Generator<string> {
      while (bytes.length >= 6) {
        const opcode = (bytes[0] ?? 0) & 0x0f;
        const short = (bytes[1] ?? 0) & 0x7f;
        const start = short === 126 ? 8 : 6;
        const length = short === 126 ? bytes.readUInt16BE(2) : short;
        if (bytes.length < start + length) return;
        const mask = bytes.subarray(start - 4, start);
        const payload = Buffer.from(
          bytes.subarray(start, start + length).map((byte, at) => byte ^ (mask[at % 4] ?? 0)),
        );
        bytes = bytes.subarray(start + length);
        if (opcode === 1) yield payload.toString("utf8");
      }
    }
  });
  return listening(http);
}

/** What a Gateway says first. */
export const CHALLENGE = {
  type: "event",
  event: "connect.challenge",
  payload: { nonce: "00000000-0000-4000-8000-000000000000", ts: Date.now() },
};
