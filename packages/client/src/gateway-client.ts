import type {
  EventFrame,
  HelloOk,
  MethodName,
  MethodParams,
  MethodResult,
  RawJson,
} from "@openclaw/protocol";
import type { CloseInfo, GatewayClientState, SequenceGap } from "./client-state.ts";

/** Options of one request. */
export interface RequestOptions {
  /**
   * Time until the request fails with `REQUEST_TIMEOUT`. 0 means the default, more than a day means
   * a day. @default `requestTimeoutMs`; for `node.invoke` its own `timeoutMs` plus ten seconds, so
   * that the Gateway's answer about the stage arrives first
   */
  timeoutMs?: number | undefined;
  /** Gives up the request, which rejects with `signal.reason`. The Gateway is not told. */
  signal?: AbortSignal | undefined;
  /** Skips an answer whose `status` is `accepted` and waits for the one after it. @default false */
  expectFinal?: boolean | undefined;
}

/** A payload as the Gateway sent it, and the frame it came in. */
export type EventListener = (payload: unknown, frame: EventFrame) => void;

/** One client of one Gateway; survives connections. */
export interface GatewayClient extends AsyncDisposable {
  readonly state: GatewayClientState;
  /** What the Gateway said of itself on the present connection; kept after it is lost. */
  readonly hello: HelloOk | undefined;
  /**
   * Starts connecting. Settles with the first success, or with the first error that ends the client:
   * a final one, or any when `reconnect` is off. Further calls return the same promise.
   * @throws {@link GatewayError}
   */
  connect(): Promise<HelloOk>;
  /**
   * Calls a method. Fails at once with `CONNECTION_LOST` while there is no connection.
   * @throws {@link GatewayError} for what went wrong on this side
   * @throws {@link RemoteError} for what the Gateway answered
   */
  request<M extends MethodName>(
    method: M,
    params: MethodParams<M>,
    options?: RequestOptions,
  ): Promise<MethodResult<M>>;
  request<T = unknown>(method: string, params?: unknown, options?: RequestOptions): Promise<T>;
  /** Like `request`, with params that are JSON text already and go out unchanged. */
  requestRaw<T = unknown>(method: string, params: RawJson, options?: RequestOptions): Promise<T>;
  /** Each change of {@link GatewayClient.state}. Returns the function that ends the subscription. */
  on(event: "state", listener: (state: GatewayClientState) => void): () => void;
  /** Events of this connection are missing. */
  on(event: "gap", listener: (gap: SequenceGap) => void): () => void;
  /** An event of the Gateway by name, or every one with `"*"`. */
  on(event: string, listener: EventListener): () => void;
  /** Ends the connection and the client; requests in flight fail with `CLOSED`. */
  close(): Promise<void>;
  /** Settles once, never rejects, and tells why. */
  readonly closed: Promise<CloseInfo>;
}
