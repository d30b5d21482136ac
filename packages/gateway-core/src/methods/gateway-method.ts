import type { z } from "zod";
import type { Connection } from "../connections/connection.ts";
import type { GatewayContext } from "../gateway-context.ts";
import type { Caller, Method, MethodCall } from "./method.ts";

/** A caller as the Gateway's own methods see it. */
export interface GatewayCaller extends Caller {
  readonly connection: Connection | undefined;
}

export interface GatewayCall extends MethodCall {
  readonly caller: GatewayCaller;
  readonly gateway: GatewayContext;
}

/** A method of the Gateway itself: it reaches the parts that an embedder's does not. */
export interface GatewayMethod<P extends z.ZodType = z.ZodType> extends Omit<Method<P>, "handler"> {
  /** An acknowledgement that nobody waits for: the answer leaves with the next frame to that peer. */
  readonly unhurried?: boolean;
  handler(params: z.output<P>, call: GatewayCall): unknown;
}

/** Ties the type of `params` to the handler; does nothing else. */
export function defineGatewayMethod<P extends z.ZodType>(
  method: GatewayMethod<P>,
): GatewayMethod<P> {
  return method;
}
