import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { SshTestRig } from "@openclaw/testkit";
import ssh2, { type Client } from "ssh2";
import { type Channels, createChannels } from "../../src/engines/ssh2/channels.ts";
import { internalsOf } from "../../src/engines/ssh2/internals.ts";
import { tuneCiphers } from "../../src/engines/ssh2/tune-ciphers.ts";
import { TunnelError } from "../../src/errors.ts";

export interface ConnectedClient extends AsyncDisposable {
  readonly client: Client;
  readonly channels: Channels;
  /** How often keys were exchanged. */
  readonly handshakes: number;
}

/** A client of ssh2 with our channels and ciphers on it, logged in to the server of a rig. */
export async function connectedClient(
  rig: Pick<SshTestRig, "server" | "identity">,
  { cipher = "aes128-gcm@openssh.com" } = {},
): Promise<ConnectedClient> {
  const client = new ssh2.Client();
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  let handshakes = 0;
  client.on("handshake", () => void (handshakes += 1));
  client.on("error", (error) => ready.reject(error));
  client.on("ready", () => ready.resolve());
  client.on("close", () => ended.resolve());
  client.connect({
    sock: connect({ host: rig.server.host, port: rig.server.port, noDelay: true }),
    username: rig.server.user,
    privateKey: readFileSync(rig.identity),
    algorithms: { cipher: [cipher as "aes128-gcm@openssh.com"] },
  });
  tuneCiphers(client);
  await ready.promise;
  const channels = createChannels(internalsOf(client));
  client.on("close", () =>
    channels.lost(new TunnelError("CONNECTION_LOST", "the connection is gone.")),
  );
  return {
    client,
    channels,
    get handshakes() {
      return handshakes;
    },
    async [Symbol.asyncDispose]() {
      client.end();
      await ended.promise;
    },
  };
}
