import { deviceMethods } from "./device-methods.ts";
import { execApprovalMethods } from "./exec-approval-methods.ts";
import { invokeMethods } from "./invoke-methods.ts";
import type { GatewayMethod } from "./gateway-method.ts";
import { nodeMethods } from "./node-methods.ts";
import { systemMethods } from "./system-methods.ts";

/** Every method of the Gateway; an embedder adds its own. */
export const gatewayMethods = [
  ...systemMethods,
  ...deviceMethods,
  ...nodeMethods,
  ...invokeMethods,
  ...execApprovalMethods,
  // Each entry was checked against its own params; the table calls it with what that schema returns.
] as unknown as readonly GatewayMethod[];
