import { createHash, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { GatewayClient } from "@openclaw/gateway-client";
import type { GatewayClientOptions } from "@openclaw/gateway-client";
import type { FrameAuditor } from "./frame-auditor.ts";

type HelloOk = Parameters<NonNullable<GatewayClientOptions["onHelloOk"]>>[0];
type EventFrame = Parameters<NonNullable<GatewayClientOptions["onEvent"]>>[0];

/** A device key in the form that the published client takes. */
export interface PublishedIdentity {
  readonly deviceId: string;
  readonly privateKeyPem: string;
  readonly publicKeyPem: string;
  /** Device tokens that were issued to it, by role. */
  readonly tokens: Map<string, { token: string; scopes: string[] }>;
}

export function createPublishedIdentity(): PublishedIdentity {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const publicKeyPem = publicKey.export({ type: "spki", format: "pem" }).toString();
  return {
    deviceId: createHash("sha256").update(rawPublicKey(publicKeyPem)).digest("hex"),
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicKeyPem,
    tokens: new Map(),
  };
}

export interface PublishedClientOptions extends Omit<GatewayClientOptions, "deviceIdentity"> {
  identity?: PublishedIdentity;
  /** Holds the results of requests to the published contract too. */
  auditor?: FrameAuditor;
}

/** The published client, connected. */
export interface PublishedClient extends AsyncDisposable {
  readonly hello: HelloOk;
  request<T = Record<string, unknown>>(method: string, params?: unknown): Promise<T>;
  /** The next event of this name that `accept` takes, those that came before included once. */
  event(name: string, accept?: (payload: unknown) => boolean): Promise<EventFrame>;
  readonly closes: readonly { code: number; reason: string }[];
  stop(): Promise<void>;
}

/**
 * Connects the published client and waits for its hello.
 * @throws the error that the client reports for its first refused attempt
 */
export async function connectPublishedClient({
  identity,
  auditor,
  ...options
}: PublishedClientOptions): Promise<PublishedClient> {
  const connected = Promise.withResolvers<HelloOk>();
  const backlog: EventFrame[] = [];
  const waiting = new Set<{ take: (frame: EventFrame) => boolean }>();
  const closes: { code: number; reason: string }[] = [];
  const client = new GatewayClient({
    ...options,
    // A fixed environment: what is set on this machine must not change the test.
    env: {},
    deviceIdentity: identity ?? null,
    hostDeps: identity ? identityDeps(identity) : {},
    onHelloOk: (hello) => connected.resolve(hello),
    onConnectError: (error) => connected.reject(error),
    onClose: (code, reason) => void closes.push({ code, reason }),
    onEvent(frame) {
      for (const waiter of waiting) {
        if (!waiter.take(frame)) continue;
        waiting.delete(waiter);
        return;
      }
      backlog.push(frame);
    },
  });
  const stop = (): Promise<void> => client.stopAndWait({ timeoutMs: 2_000 });
  client.start();
  let hello: HelloOk;
  try {
    hello = await connected.promise;
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    hello,
    closes,
    stop,
    [Symbol.asyncDispose]: stop,
    async request<T>(method: string, params?: unknown): Promise<T> {
      const result = await client.request<T>(method, params);
      auditor?.result(method, result);
      return result;
    },
    event(name, accept = () => true) {
      const matches = (frame: EventFrame): boolean => frame.event === name && accept(frame.payload);
      const index = backlog.findIndex(matches);
      if (index >= 0) return Promise.resolve(backlog.splice(index, 1)[0]!);
      return new Promise((resolve) => {
        waiting.add({
          take(frame) {
            if (!matches(frame)) return false;
            resolve(frame);
            return true;
          },
        });
      });
    },
  };
}

function identityDeps(identity: PublishedIdentity): NonNullable<GatewayClientOptions["hostDeps"]> {
  return {
    signDevicePayload: (privateKeyPem, payload) =>
      sign(null, Buffer.from(payload), privateKeyPem).toString("base64url"),
    publicKeyRawBase64UrlFromPem: (pem) => rawPublicKey(pem).toString("base64url"),
    loadDeviceAuthToken: ({ role }) => identity.tokens.get(role) ?? null,
    storeDeviceAuthToken: ({ role, token, scopes }) =>
      void identity.tokens.set(role, { token, scopes }),
    clearDeviceAuthToken: ({ role }) => void identity.tokens.delete(role),
  };
}

/** The last 32 bytes of an Ed25519 SPKI document are the raw key. */
function rawPublicKey(pem: string): Buffer {
  return createPublicKey(pem).export({ type: "spki", format: "der" }).subarray(-32);
}
