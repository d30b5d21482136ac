import type { OperatorScope } from "@openclaw/protocol";
import type { z } from "zod";
import type { Connection } from "../connections/connection.ts";
import type { GatewayContext } from "../gateway-context.ts";

/** Who calls: a connection, or the embedding program itself, which may do everything. */
export interface Caller {
  readonly role: "operator" | "node";
  readonly scopes: readonly string[];
  readonly connection: Connection | undefined;
}

/** `any`: every peer, whatever its role. `node`: nodes only. Otherwise operators with that scope. */
export type MethodAccess = "any" | "node" | OperatorScope;

/** One method of the Gateway. The advertised list, authorisation, validation and docs derive from it. */
export interface Method<P extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly access: MethodAccess;
  /** A closed object, or the request is answered with what was unexpected. */
  readonly params: P;
  /** What the answer looks like; for the documentation and the tests. */
  readonly result?: z.ZodType;
  /** One sentence for the documentation. */
  readonly summary: string;
  /** False for a method that only answers those who already know it. @default true */
  readonly advertised?: boolean;
  handler(params: z.output<P>, call: MethodCall): unknown;
}

export interface MethodCall {
  readonly caller: Caller;
  readonly gateway: GatewayContext;
}

/** Ties the type of `params` to the handler; does nothing else. */
export function defineMethod<P extends z.ZodType>(method: Method<P>): Method<P> {
  return method;
}
