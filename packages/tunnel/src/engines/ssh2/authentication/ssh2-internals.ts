import type { Client } from "ssh2";
import utils from "ssh2/lib/protocol/utils.js";
import { TunnelError } from "../../../errors.ts";

// What the authentication touches of ssh2 beyond its documentation, all in one place. ssh2 cannot
// use certificates, security keys of an agent, or a key without asking about it first; so requests
// with a key are made here, and travel in the place of its `none` request, whose answers it hands to
// the authHandler unchanged. The dependency is pinned to one version.

interface Protocol {
  readonly _handlers: {
    EXT_INFO(protocol: Protocol, extensions: readonly { name: string; algs: string[] }[]): void;
    USERAUTH_PK_OK(protocol: Protocol, algorithm: string, key: Buffer): void;
    USERAUTH_PASSWD_CHANGEREQ(protocol: Protocol, prompt: string): void;
  };
  readonly _kex: { readonly sessionID?: Buffer; readonly _sig?: Buffer } | undefined;
  readonly _packetRW: {
    readonly write: {
      readonly allocStart: number;
      alloc(payloadBytes: number): Buffer;
      finalize(packet: Buffer): Buffer;
    };
  };
  /** The methods that have no answer yet: tells what the messages 60 and 61 mean. */
  readonly _authsQueue: string[];
  _hostVerifier: ((key: Buffer, verified: unknown) => unknown) | undefined;
  authNone(username: string): void;
}

/** What happens on the way, as far as ssh2 has no event for it. */
export interface AuthenticationEvents {
  /** The request to send where ssh2 would send `none`; undefined lets `none` pass. */
  takeRequest(): Buffer | undefined;
  /** The server would accept the key it was asked about. */
  keyAccepted(): void;
  /** The server wants another password before it goes on. */
  passwordExpired(): void;
}

/** The authentication's hold on one client. */
export interface AuthenticationWire {
  /** Throws before the key exchange has ended. */
  readonly sessionId: Buffer;
  /** The server's `server-sig-algs`, once it has announced them. */
  readonly announcedAlgorithms: readonly string[] | undefined;
  /** The host's key, and its signature of the session id. */
  readonly hostProof: { readonly hostKey: Buffer; readonly signature: Buffer } | undefined;
  /** Sends a request with a key now. */
  send(request: Buffer): void;
  /** The method that runs gets no answer from us any more. */
  abandonMethod(): void;
}

/**
 * Takes hold of a client between `connect()` and its authentication.
 *
 * @throws TunnelError `UNSUPPORTED_SETTING` when ssh2 is not as expected
 */
export function takeHoldOf(client: Client, events: AuthenticationEvents): AuthenticationWire {
  const protocol = protocolOf(client);
  let announcedAlgorithms: readonly string[] | undefined;
  let hostProof: AuthenticationWire["hostProof"];

  function send(request: Buffer): void {
    const { write } = protocol._packetRW;
    const packet = write.alloc(request.length);
    packet.set(request, write.allocStart);
    protocol._authsQueue.push("publickey");
    utils.sendPacket(protocol, write.finalize(packet));
  }

  const { authNone, _hostVerifier: verifyHost, _handlers: handlers } = protocol;
  protocol.authNone = (username) => {
    const request = events.takeRequest();
    if (request === undefined) authNone.call(protocol, username);
    else send(request);
  };
  protocol._hostVerifier =
    verifyHost &&
    ((key, verified) => {
      // It is forgotten when the key exchange ends.
      const signature = protocol._kex?._sig;
      if (signature) hostProof ??= { hostKey: Buffer.from(key), signature: Buffer.from(signature) };
      return verifyHost(key, verified);
    });
  const { EXT_INFO: extInfo } = handlers;
  handlers.EXT_INFO = (sender, extensions) => {
    announcedAlgorithms ??= extensions.find(({ name }) => name === "server-sig-algs")?.algs;
    extInfo(sender, extensions);
  };
  handlers.USERAUTH_PK_OK = () => events.keyAccepted();
  handlers.USERAUTH_PASSWD_CHANGEREQ = () => events.passwordExpired();

  return {
    get sessionId() {
      const sessionId = protocol._kex?.sessionID;
      if (!Buffer.isBuffer(sessionId)) throw unexpected();
      return sessionId;
    },
    get announcedAlgorithms() {
      return announcedAlgorithms;
    },
    get hostProof() {
      return hostProof;
    },
    send,
    abandonMethod: () => void protocol._authsQueue.splice(0),
  };
}

function protocolOf(client: Client): Protocol {
  const { _protocol: protocol } = client as unknown as { _protocol?: Protocol };
  const isKnown =
    protocol !== undefined &&
    typeof protocol.authNone === "function" &&
    typeof protocol._handlers?.USERAUTH_PK_OK === "function" &&
    typeof protocol._handlers.EXT_INFO === "function" &&
    typeof protocol._handlers.USERAUTH_PASSWD_CHANGEREQ === "function" &&
    typeof protocol._packetRW?.write?.alloc === "function" &&
    typeof protocol._packetRW.write.finalize === "function" &&
    Array.isArray(protocol._authsQueue) &&
    typeof utils.sendPacket === "function";
  if (!isKnown) throw unexpected();
  return protocol;
}

function unexpected(): TunnelError {
  return new TunnelError("UNSUPPORTED_SETTING", "this ssh2 is not the version that was tested.", {
    hint: "Install ssh2 1.17.0, or choose the engine `system`.",
  });
}
