import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** An agent with one security key in it: a hardware token, as far as a server can tell. */
export interface SecurityKeyAgent extends AsyncDisposable {
  readonly socketPath: string;
  /** `type base64`, as authorized_keys has it. */
  readonly publicKey: string;
  /** How often it was asked to sign. */
  readonly touches: number;
}

const TYPE = "sk-ssh-ed25519@openssh.com";
const APPLICATION = "ssh:";
const FAILURE = 5;
const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
/** Somebody has touched it. */
const USER_PRESENT = 1;

/** Starts it on a Unix socket. */
export async function startSecurityKeyAgent(socketPath: string): Promise<SecurityKeyAgent> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  const blob = strings(TYPE, Buffer.from(x, "base64url"), APPLICATION);
  const sockets = new Set<Socket>();
  let touches = 0;

  function answer(request: Buffer): Buffer {
    if (request[0] === REQUEST_IDENTITIES) {
      return Buffer.concat([Buffer.of(IDENTITIES_ANSWER), uint32(1), strings(blob, "token")]);
    }
    if (request[0] !== SIGN_REQUEST) return Buffer.of(FAILURE);
    touches += 1;
    const dataAt = 1 + 4 + blob.length + 4;
    const data = request.subarray(dataAt, dataAt + request.readUInt32BE(dataAt - 4));
    // As PROTOCOL.u2f of OpenSSH has it.
    const state = Buffer.concat([Buffer.of(USER_PRESENT), uint32(touches)]);
    const signed = Buffer.concat([sha256(APPLICATION), state, sha256(data)]);
    const signature = Buffer.concat([strings(TYPE, sign(null, signed, privateKey)), state]);
    return Buffer.concat([Buffer.of(SIGN_RESPONSE), strings(signature)]);
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    // Each request arrives in one piece: the client waits for the answer to the one before.
    socket.on("data", (message) => socket.write(strings(answer(message.subarray(4)))));
  });
  server.listen(socketPath);
  await once(server, "listening");
  return {
    socketPath,
    publicKey: `${TYPE} ${blob.toString("base64")}`,
    get touches() {
      return touches;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function sha256(data: string | Buffer): Buffer {
  return createHash("sha256").update(data).digest();
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function strings(...values: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    values.flatMap((value) => {
      const bytes = Buffer.from(value);
      return [uint32(bytes.length), bytes];
    }),
  );
}
