import * as z from "zod";
import { anyText, count, open, text, texts } from "./primitives.ts";

/** One connected client, device or node, as presence shows it. */
export const presenceEntrySchema = open({
  ts: count,
  host: text.optional(),
  ip: text.optional(),
  version: text.optional(),
  platform: text.optional(),
  deviceFamily: text.optional(),
  modelIdentifier: text.optional(),
  timeZone: text.optional(),
  mode: text.optional(),
  clientId: text.optional(),
  lastInputSeconds: count.optional(),
  /** `self`, `connect`, `disconnect`, or what a client published. */
  reason: text.optional(),
  tags: texts.optional(),
  text: anyText.optional(),
  onlineSince: count.optional(),
  lastActivityAt: count.optional(),
  deviceId: text.optional(),
  roles: texts.optional(),
  scopes: texts.optional(),
  instanceId: text.optional(),
  user: open({
    id: text,
    identity: open({ type: text, id: text }).optional(),
    email: text.optional(),
    name: text.optional(),
    avatarUrl: text.optional(),
  }).optional(),
  watchedSessions: texts.optional(),
});
export type PresenceEntry = z.infer<typeof presenceEntrySchema>;

/** Payload of the `presence` event. */
export const presenceEventSchema = open({ presence: z.array(presenceEntrySchema) });
