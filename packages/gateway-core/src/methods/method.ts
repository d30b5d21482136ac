import type { OperatorScope } from "@openclaw/protocol";
import type { z } from "zod";

/** Who calls: a peer, or the embedding program itself, which may do everything. */
export interface Caller {
  readonly role: "operator" | "node";
  /** What it may do; see `scopeAllows` in `@openclaw/protocol` for what implies what. */
  readonly scopes: readonly string[];
  /** The proven device, if the peer has one. */
  readonly deviceId: string | undefined;
  /** When its connection was accepted, in epoch milliseconds; absent for the embedding program. */
  readonly connectedAtMs?: number;
}

/** `any`: every peer, whatever its role. `node`: nodes only. Otherwise operators with that scope. */
export type MethodAccess = "any" | "node" | OperatorScope;

/** What a handler learns besides its params. */
export interface MethodCall {
  readonly caller: Caller;
}

/** One method of the Gateway. The advertised list, authorisation, validation and docs derive from it. */
export interface Method<P extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly access: MethodAccess;
  /** Use a strict object: then a request with anything else is answered with what was unexpected. */
  readonly params: P;
  /** What the answer looks like; for the documentation and the tests. */
  readonly result?: z.ZodType;
  /** One sentence for the documentation. */
  readonly summary: string;
  /** False for a method that only answers those who already know it. @default true */
  readonly advertised?: boolean;
  /**
   * Answers with a value that `JSON.stringify` can print, or a promise of one. Throw a
   * {@link RequestError} to choose the error; anything else is answered as a fault of the Gateway.
   */
  handler(params: z.output<P>, call: MethodCall): unknown;
}

/** Ties the type of `params` to the handler; does nothing else. */
export function defineMethod<P extends z.ZodType>(method: Method<P>): Method<P> {
  return method;
}
