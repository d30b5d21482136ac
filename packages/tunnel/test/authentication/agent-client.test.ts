import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { temporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { openAgent } from "../../src/engines/ssh2/authentication/agent.ts";
import { createAgentClient } from "../../src/engines/ssh2/authentication/agent-client.ts";

const PATIENT_MS = 10_000;
const PATIENT = { listTimeoutMs: PATIENT_MS, signTimeoutMs: PATIENT_MS };
const EMPTY_LIST = Buffer.of(0, 0, 0, 5, 12, 0, 0, 0, 0);

/** Something that listens where an agent should, and does as it is told on each connection. */
async function listen(
  socketPath: string,
  serve: (socket: Socket) => void,
): Promise<AsyncDisposable & { readonly connections: () => number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    serve(socket);
  });
  server.listen(socketPath);
  await once(server, "listening");
  return {
    connections: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

test("answers are told apart wherever they are cut, and come in order", async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file("agent.sock");
  const answers = Buffer.concat([1, 2, 3].map((byte) => Buffer.of(0, 0, 0, 2, byte, byte)));
  let requests = 0;
  await using _server = await listen(path, (socket) => {
    socket.on("data", (data) => {
      requests += data.toString("latin1").split("ask").length - 1;
      if (requests < 3) return;
      // One byte at a time is as mean as it gets.
      for (const byte of answers) socket.write(Buffer.of(byte));
    });
  });
  const client = createAgentClient(path);

  const received = await Promise.all(
    [1, 2, 3].map(() => client.request(Buffer.from("ask"), PATIENT_MS)),
  );
  client.close();

  expect(received).toEqual([Buffer.of(1, 1), Buffer.of(2, 2), Buffer.of(3, 3)]);
});

test("an agent that hung up is asked again on another connection", async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file("agent.sock");
  let isFirst = true;
  await using server = await listen(path, (socket) => {
    socket.on("data", () => {
      if (isFirst) socket.destroy();
      else socket.write(EMPTY_LIST);
      isFirst = false;
    });
  });
  const client = createAgentClient(path);

  const lost = client.request(Buffer.of(11), PATIENT_MS);
  await expect(lost).rejects.toMatchObject({ kind: "lost" });
  const answer = await client.request(Buffer.of(11), PATIENT_MS);
  client.close();

  expect(answer[0]).toBe(12);
  expect(server.connections()).toBe(2);
});

test.for([
  ["nothing", undefined, "silent"],
  ["half of it", EMPTY_LIST.subarray(0, 6), "silent"],
  ["what is too long", Buffer.of(0xff, 0xff, 0xff, 0xff), "lost"],
  ["what is empty", Buffer.of(0, 0, 0, 0), "lost"],
  ["more keys than it sends", Buffer.of(0, 0, 0, 5, 12, 0, 0, 0, 9), "lost"],
  ["a refusal", Buffer.of(0, 0, 0, 1, 5), "refused"],
] as const)("an agent that answers %s has no keys, and that is told", async ([, answer, kind]) => {
  await using directory = await temporaryDirectory();
  const path = directory.file("agent.sock");
  await using _server = await listen(path, (socket) => {
    socket.on("data", () => void (answer && socket.write(answer)));
  });

  const agent = await openAgent(path, {
    ...PATIENT,
    listTimeoutMs: kind === "silent" ? 200 : PATIENT_MS,
  });

  expect(agent.keys).toEqual([]);
  expect(agent.failure?.kind).toBe(kind);
});

test("an agent that does not know session-bind may be locked, as far as anybody can tell", async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file("agent.sock");
  await using _server = await listen(path, (socket) => {
    socket.on("data", (request) => {
      if (request[4] === 11) socket.write(EMPTY_LIST);
      else socket.destroy();
    });
  });

  const agent = await openAgent(path, PATIENT);
  agent.close();

  expect(agent).toMatchObject({ keys: [], failure: undefined, isMaybeLocked: true });
});

test("a signature of another algorithm than asked for is none", async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file("agent.sock");
  const sha1 = Buffer.from(
    "0000001b0e00000016000000077373682d727361000000076161616161616161",
    "hex",
  );
  await using _server = await listen(path, (socket) => {
    socket.on("data", (request) =>
      socket.write(request[4] === 11 ? EMPTY_LIST : sha1.subarray(0, 31)),
    );
  });
  const agent = await openAgent(path, PATIENT);

  const signing = agent.sign(Buffer.of(1), Buffer.of(2), "rsa-sha2-512");

  await expect(signing).rejects.toMatchObject({
    kind: "refused",
    message: "the agent signs with ssh-rsa instead of rsa-sha2-512",
  });
  agent.close();
});

test("what waits when the client is closed fails, and so does what comes after", async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file("agent.sock");
  await using _server = await listen(path, () => undefined);
  const client = createAgentClient(path);

  const waiting = client.request(Buffer.of(11), PATIENT_MS);
  client.close();

  await expect(waiting).rejects.toMatchObject({ kind: "lost" });
  await expect(client.request(Buffer.of(11), PATIENT_MS)).rejects.toMatchObject({ kind: "lost" });
});
