export { readSetupCode } from "./pair-target.ts";
export { runNode } from "./run-node.ts";

export type { NodeRunFlags } from "./node-target.ts";
export type { RunNodeInput } from "./run-node.ts";
