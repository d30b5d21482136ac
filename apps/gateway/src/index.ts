export { runGateway } from "./run-gateway.ts";

export type { RunGatewayInput } from "./run-gateway.ts";
export type { GatewayRunFlags } from "./start-plan.ts";
