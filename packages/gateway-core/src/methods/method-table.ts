import { scopeAllows, validateParams } from "@openclaw/protocol";
import { GatewayStartError, RequestError, invalidRequest } from "../errors.ts";
import type { GatewayContext } from "../gateway-context.ts";
import { missingScopeError } from "../pairing/pairing-service.ts";
import type { GatewayCaller, GatewayMethod } from "./gateway-method.ts";
import type { Method } from "./method.ts";

export interface MethodTable {
  /** @throws {GatewayStartError} `METHOD_CONFLICT` when the name is taken */
  add(method: Method | GatewayMethod): void;
  /** Names in alphabetical order, as peers of that role are told. */
  advertised(role: "operator" | "node"): string[];
  all(): readonly GatewayMethod[];
  /** Whether the answer may wait for the next frame to that peer. */
  isUnhurried(name: string): boolean;
  /** Authorises, validates and runs; the result may be a promise. @throws {RequestError} */
  call(name: string, params: unknown, caller: GatewayCaller): unknown;
}

export function createMethodTable(
  methods: readonly GatewayMethod[],
  gateway: () => GatewayContext,
): MethodTable {
  const table = new Map<string, GatewayMethod>();

  const add = (method: GatewayMethod): void => {
    if (table.has(method.name)) {
      throw new GatewayStartError("METHOD_CONFLICT", `method ${method.name} exists already`, {
        hint: "Choose a name of your own, for example with your product's prefix.",
      });
    }
    table.set(method.name, method);
  };
  for (const method of methods) add(method);

  return {
    add,
    all: () => [...table.values()],
    isUnhurried: (name) => table.get(name)?.unhurried === true,
    advertised: (role) =>
      [...table.values()]
        .filter(({ access, advertised }) => {
          if (advertised === false) return false;
          return role === "node" ? access === "node" || access === "any" : access !== "node";
        })
        .map((method) => method.name)
        .toSorted(),
    call(name, params, caller) {
      const method = table.get(name);
      authorise(name, method, caller);
      const checked = validateParams(method.params, params ?? {});
      if (!checked.ok) throw invalidRequest(`invalid ${name} params: ${checked.detail}`);
      return method.handler(checked.value, { caller, gateway: gateway() });
    },
  };
}

/** Before anything else is said about a method: whoever may not call it does not learn its params. */
function authorise(
  name: string,
  method: GatewayMethod | undefined,
  caller: GatewayCaller,
): asserts method is GatewayMethod {
  const access = method?.access ?? "operator.admin";
  if (access === "any") return;
  if (caller.role === "node") {
    if (access === "node") return;
    // Nodes read this text to learn that an optional method is not there.
    if (!method) throw invalidRequest(`unknown method: ${name}`);
    throw invalidRequest("unauthorized role: node");
  }
  if (access === "node") throw invalidRequest("unauthorized role: operator");
  if (!scopeAllows(caller.scopes, access)) throw missingScopeError(access, [access]);
  if (!method) throw invalidRequest(`unknown method: ${name}`);
}

/** The same refusal in the words of protocol 3, which has no `FORBIDDEN`. */
export function forProtocol(error: RequestError, protocol: 3 | 4): RequestError {
  if (protocol === 4 || error.code !== "FORBIDDEN") return error;
  return new RequestError("INVALID_REQUEST", error.message, { details: error.details });
}
