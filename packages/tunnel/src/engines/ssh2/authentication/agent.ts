import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { AgentFailure, type AgentClient, createAgentClient } from "./agent-client.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { type PublicKey, publicKeyOf } from "./public-key.ts";
import { readWire, wireStrings, wireUint32 } from "./wire-format.ts";

/** A key or a certificate that an agent can sign with. */
export interface AgentKey extends PublicKey {
  readonly certificate: Certificate | undefined;
}

/** A session that signatures are bound to: where the agent's keys are limited to some hosts. */
export interface SessionBinding {
  readonly hostKey: Buffer;
  readonly sessionId: Buffer;
  /** Of the session id, by the host key. */
  readonly signature: Buffer;
}

/** What an agent has, and how to use it. */
export interface Agent {
  readonly keys: readonly AgentKey[];
  /** Why its keys could not be listed. */
  readonly failure: AgentFailure | undefined;
  /** It has shown no key, and may be locked: a locked agent answers an empty list. */
  readonly isMaybeLocked: boolean;
  /**
   * Binds what follows to one session, as ssh does. Agents that do not know this say no, which is no
   * harm.
   */
  bind(session: SessionBinding): Promise<boolean>;
  /**
   * @param algorithm what the signature must name, e.g. `rsa-sha2-512`
   * @returns name and signature, as they go over the wire
   * @throws AgentFailure
   */
  sign(keyBlob: Buffer, data: Buffer, algorithm: string): Promise<Buffer>;
  close(): void;
}

export interface AgentLimits {
  /** For the list of keys. */
  readonly listTimeoutMs: number;
  /** For one signature: somebody may have to touch a key or to confirm. */
  readonly signTimeoutMs: number;
}

const FAILURE = 5;
const SUCCESS = 6;
const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
const EXTENSION = 27;
const SIGNATURE_FLAGS: Readonly<Record<string, number>> = { "rsa-sha2-256": 2, "rsa-sha2-512": 4 };

/** Asks the agent for its keys. Never rejects. */
export async function openAgent(path: string, limits: AgentLimits): Promise<Agent> {
  const client = createAgentClient(path);
  let keys: AgentKey[] = [];
  let failure: AgentFailure | undefined;
  let isMaybeLocked = false;
  try {
    keys = await listKeys(client, limits.listTimeoutMs);
    isMaybeLocked = keys.length === 0 && !(await isUnlocked(client, limits.listTimeoutMs));
  } catch (error) {
    failure = asFailure(error);
    client.close();
  }
  return {
    keys,
    failure,
    isMaybeLocked,
    bind: (session) => bindSession(client, session, limits.listTimeoutMs),
    async sign(keyBlob, data, algorithm) {
      const message = Buffer.concat([
        Buffer.of(SIGN_REQUEST),
        wireStrings(keyBlob, data),
        wireUint32(SIGNATURE_FLAGS[algorithm] ?? 0),
      ]);
      const answer = await client.request(message, limits.signTimeoutMs);
      return readSignature(answer, algorithm);
    },
    close: () => client.close(),
  };
}

async function listKeys(client: AgentClient, timeoutMs: number): Promise<AgentKey[]> {
  const answer = readWire(await client.request(Buffer.of(REQUEST_IDENTITIES), timeoutMs));
  if (answer.byte() !== IDENTITIES_ANSWER) {
    throw new AgentFailure("refused", "the agent does not list its keys");
  }
  const count = answer.uint32();
  const keys: AgentKey[] = [];
  for (let index = 0; index < count; index += 1) {
    const key = publicKeyOf(answer.string());
    answer.string(); // the comment
    if (key !== undefined) keys.push({ ...key, certificate: parseCertificate(key) });
  }
  return keys;
}

/**
 * Whether an agent without keys is known to be open. OpenSSH's answers an empty list when it is
 * locked, and refuses everything else; so it is asked to bind this connection to a session of our
 * own making, which changes nothing but this connection. Agents without that extension refuse too.
 */
async function isUnlocked(client: AgentClient, timeoutMs: number): Promise<boolean> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  const sessionId = randomBytes(32);
  const session: SessionBinding = {
    hostKey: wireStrings("ssh-ed25519", Buffer.from(x, "base64url")),
    sessionId,
    signature: wireStrings("ssh-ed25519", sign(null, sessionId, privateKey)),
  };
  return bindSession(client, session, timeoutMs).catch(() => false);
}

async function bindSession(
  client: AgentClient,
  { hostKey, sessionId, signature }: SessionBinding,
  timeoutMs: number,
): Promise<boolean> {
  const message = Buffer.concat([
    Buffer.of(EXTENSION),
    wireStrings("session-bind@openssh.com", hostKey, sessionId, signature),
    Buffer.of(0), // not for forwarding
  ]);
  const answer = await client.request(message, timeoutMs);
  return answer[0] === SUCCESS;
}

function readSignature(answer: Buffer, algorithm: string): Buffer {
  if (answer[0] === FAILURE) throw new AgentFailure("refused", "the agent refused to sign");
  try {
    const reader = readWire(answer);
    if (reader.byte() !== SIGN_RESPONSE) throw new RangeError("not a signature");
    const signature = reader.string();
    const name = readWire(signature).text();
    if (name === algorithm) return signature;
    // Old agents sign with SHA-1 whatever they are asked for.
    throw new AgentFailure("refused", `the agent signs with ${name} instead of ${algorithm}`);
  } catch (error) {
    throw asFailure(error);
  }
}

function asFailure(error: unknown): AgentFailure {
  if (error instanceof AgentFailure) return error;
  return new AgentFailure("lost", "the agent sent what is no answer", { cause: error });
}
