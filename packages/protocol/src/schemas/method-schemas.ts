import type { z } from "zod";
import { devicePairingEventSchemas, devicePairingMethodSchemas } from "./device-pairing.ts";
import { nodeEventSchemas, nodeMethodSchemas } from "./node.ts";
import { systemEventSchemas, systemMethodSchemas } from "./system.ts";
import { connectChallengeSchema } from "./connect.ts";

/** Params and result of every method that we know. */
export const methodSchemas = {
  ...systemMethodSchemas,
  ...devicePairingMethodSchemas,
  ...nodeMethodSchemas,
} as const;

/** The payload of every event that we know. */
export const eventSchemas = {
  "connect.challenge": connectChallengeSchema,
  ...systemEventSchemas,
  ...devicePairingEventSchemas,
  ...nodeEventSchemas,
} as const;

export type MethodName = keyof typeof methodSchemas;
export type EventName = keyof typeof eventSchemas;
export type MethodParams<M extends MethodName> = z.input<(typeof methodSchemas)[M]["params"]>;
export type MethodResult<M extends MethodName> = z.output<(typeof methodSchemas)[M]["result"]>;
export type EventPayload<E extends EventName> = z.output<(typeof eventSchemas)[E]>;
