export { readInstance, isAlive } from "./instance-file.ts";
export { runGateway } from "./run-gateway.ts";
export { readRunToken } from "./run-token.ts";

export type { GatewayIo, StopSignal, TextSink } from "./gateway-io.ts";
export type { GatewayInstance } from "./instance-file.ts";
export type { RunGatewayInput } from "./run-gateway.ts";
export type { GatewayRunFlags } from "./start-plan.ts";
