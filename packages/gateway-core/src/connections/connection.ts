import { CLOSE, encodeError, encodeResponse } from "@openclaw/protocol";
import type { PeerUser } from "../auth/peer-user.ts";
import type { RequestError } from "../errors.ts";
import type { AuthMethod } from "../handshake/authenticate.ts";
import type { NodeLink } from "../nodes/node-link.ts";
import type { PeerSocket } from "./peer-socket.ts";

/** What a peer said of itself in `connect`. */
export interface ClientDescription {
  id: string;
  mode: string;
  version: string;
  platform: string;
  displayName?: string;
  deviceFamily?: string;
  modelIdentifier?: string;
  instanceId?: string;
}

export interface ConnectionIdentity {
  connId: string;
  /** Counts up over all connections of this Gateway: a later one of the same device has a higher epoch. */
  epoch: number;
  protocol: 3 | 4;
  role: "operator" | "node";
  scopes: readonly string[];
  caps: ReadonlySet<string>;
  client: ClientDescription;
  deviceId: string | undefined;
  remoteIp: string | undefined;
  /** How it proved that it may come in. */
  authMethod: AuthMethod;
  /** The person behind it, where somebody we trust has named one. */
  user?: PeerUser | undefined;
  connectedAtMs: number;
}

export interface ConnectionBudget {
  maxBufferedBytes: number;
  highWaterMarkBytes: number;
  frameSent: ((text: string, connId?: string) => void) | undefined;
}

/** One live peer whose handshake is done. */
export class Connection {
  readonly identity: ConnectionIdentity;
  /** Present on connections of role `node`. */
  node: NodeLink | undefined;
  requestsInFlight = 0;
  /** Role errors and the like; too many of them and the connection is closed. */
  refusals = 0;
  /** Events skipped because the peer reads too slowly. */
  skippedEvents = 0;
  #seq = 0;
  #paused = false;
  #open = true;
  readonly #socket: PeerSocket;
  readonly #budget: ConnectionBudget;

  constructor(identity: ConnectionIdentity, socket: PeerSocket, budget: ConnectionBudget) {
    this.identity = identity;
    this.#socket = socket;
    this.#budget = budget;
  }

  /** False from the moment it is superseded or closed: whatever still arrives is dropped. */
  get isOpen(): boolean {
    return this.#open;
  }

  get socket(): PeerSocket {
    return this.#socket;
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedBytes;
  }

  /** True when the peer has so much unread that it should not be given more work. */
  get isSlow(): boolean {
    return this.#socket.bufferedBytes > this.#budget.maxBufferedBytes;
  }

  respond(id: string, payload: unknown): void {
    this.#write(encodeResponse(id, payload));
  }

  /** Answers what nobody waits for: the frame may leave a few milliseconds later, with the next. */
  respondSoon(id: string, payload: unknown): void {
    // A peer that reads nothing pays for acknowledgements as for everything else.
    if (this.#socket.bufferedBytes > this.#budget.highWaterMarkBytes)
      return this.respond(id, payload);
    if (!this.#open) return;
    const text = encodeResponse(id, payload);
    this.#budget.frameSent?.(text, this.identity.connId);
    this.#socket.sendSoon(text);
  }

  refuse(id: string, error: RequestError): void {
    this.#write(encodeError(id, error.toShape()));
  }

  /** Sends an event that belongs to this peer alone and carries no sequence number. */
  direct(text: string): void {
    this.#write(text);
  }

  /**
   * Sends an event of the shared stream. Each takes a number of this connection's sequence, even
   * one that is skipped, so that a slow peer sees the gap.
   */
  event(prefix: string, suffix: string, droppable: boolean): void {
    if (!this.#open) return;
    this.#seq += 1;
    if (droppable && this.isSlow) {
      this.skippedEvents += 1;
      return;
    }
    this.#write(`${prefix}${this.#seq}${suffix}`);
  }

  /** Ends it with a closing handshake. */
  close(code: number, reason: string): void {
    this.#open = false;
    this.#socket.close(code, reason);
  }

  /** Ends it now. */
  terminate(): void {
    this.#open = false;
    this.#socket.terminate();
  }

  /** Marks it as gone: the socket has closed, or a later connection has taken its place. */
  detach(): void {
    this.#open = false;
  }

  resumeReading(): void {
    if (!this.#paused || this.#socket.bufferedBytes > this.#budget.highWaterMarkBytes) return;
    this.#paused = false;
    this.#socket.resume();
  }

  #write(text: string): void {
    if (!this.#open) return;
    const buffered = this.#socket.bufferedBytes;
    if (buffered > this.#budget.highWaterMarkBytes) {
      if (buffered > this.#budget.maxBufferedBytes) {
        // A closing handshake would queue behind what the peer is not reading.
        this.close(CLOSE.POLICY_VIOLATION, "slow consumer");
        this.terminate();
        return;
      }
      if (!this.#paused) {
        this.#paused = true;
        this.#socket.pause();
      }
    }
    this.#budget.frameSent?.(text, this.identity.connId);
    this.#socket.send(text);
  }
}
