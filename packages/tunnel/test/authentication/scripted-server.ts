import { once } from "node:events";
import type { AddressInfo } from "node:net";
import ssh2, { type AuthContext, type Connection } from "ssh2";

/** A server of ssh2, whose answers a test decides. */
export interface ScriptedServer extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly user: string;
  /** The methods that were asked for, in order. */
  readonly methods: readonly string[];
}

/** Starts it; it speaks no further than the authentication. */
export async function startScriptedServer(
  answer: (context: AuthContext) => void,
): Promise<ScriptedServer> {
  // One ed25519 key in five hundred that ssh2 makes it cannot read again.
  const { private: hostKey } = ssh2.utils.generateKeyPairSync("ecdsa", { bits: 256 });
  const methods: string[] = [];
  const connections = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (connection) => {
    connections.add(connection);
    connection.on("error", () => undefined);
    connection.on("authentication", (context) => {
      methods.push(context.method);
      answer(context);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: "127.0.0.1",
    // A server that listens on a port has such an address.
    port: (server.address() as AddressInfo).port,
    user: "somebody",
    methods,
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.end();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
