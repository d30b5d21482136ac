import type { StepTitles } from "../../remote/walk.ts";

/** The links of the way to a Gateway and, behind it, to a node: in the order in which they are walked. */
export const CONNECT_STEPS = {
  target: "The target is known",
  name: "The name resolves",
  route: "The port answers",
  ssh: "SSH lets you in",
  forward: "The forward opens",
  tls: "The certificate holds",
  upgrade: "The WebSocket opens",
  challenge: "A Gateway greets",
  authentication: "The Gateway accepts the credential",
  pairing: "The Gateway knows this device",
  scope: "This device may do what is asked",
  node: "The node is there",
  command: "The node may run the command",
} as const satisfies StepTitles;

export type ConnectStep = keyof typeof CONNECT_STEPS;
