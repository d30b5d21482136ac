import { execFile } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { promisify } from "node:util";
import type { SshAgent, SshKey } from "@openclaw/testkit";

const SIGN_REQUEST = 13;

/** Stands between a client and an agent. */
export interface AgentRelay extends AsyncDisposable {
  readonly socketPath: string;
}

/** Passes everything on, and does something before it passes on a request to sign. */
export async function relayAgent(
  agent: SshAgent,
  socketPath: string,
  beforeSigning: () => Promise<void>,
): Promise<AgentRelay> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const behind = connect(agent.socketPath);
    for (const [socket, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => void other.destroy());
    }
    behind.pipe(client);
    // Each request arrives in one piece: the client waits for the answer to the one before.
    client.on("data", (request) => {
      const before = request[4] === SIGN_REQUEST ? beforeSigning() : Promise.resolve();
      void before.then(() => behind.write(request));
    });
  });
  server.listen(socketPath);
  await once(server, "listening");
  return {
    socketPath,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Loads a key that signs for one host only, known by its key (`ssh-add -h`). */
export async function addLimitedTo(
  hostKey: SshKey,
  { agent, key, knownHosts }: { agent: SshAgent; key: SshKey; knownHosts: string },
): Promise<void> {
  await writeFile(knownHosts, `box ${hostKey.publicKey}\n`);
  const args = ["-q", "-H", knownHosts, "-h", "box", key.privateKeyPath];
  const env = { PATH: process.env["PATH"] ?? "", SSH_AUTH_SOCK: agent.socketPath };
  await promisify(execFile)("ssh-add", args, { env });
}
