import * as z from "zod";
import { count, maybe, open, text } from "./primitives.ts";

/** One connected client, device or node, as presence shows it. */
export const presenceEntrySchema = open({
  ts: count,
  host: maybe.text,
  ip: maybe.text,
  version: maybe.text,
  platform: maybe.text,
  deviceFamily: maybe.text,
  modelIdentifier: maybe.text,
  timeZone: maybe.text,
  mode: maybe.text,
  clientId: maybe.text,
  lastInputSeconds: maybe.count,
  /** `self`, `connect`, `disconnect`, or what a client published. */
  reason: maybe.text,
  tags: maybe.texts,
  text: maybe.anyText,
  onlineSince: maybe.count,
  lastActivityAt: maybe.count,
  deviceId: maybe.text,
  roles: maybe.texts,
  scopes: maybe.texts,
  instanceId: maybe.text,
  user: open({
    id: text,
    identity: open({ type: text, id: text }).optional(),
    email: maybe.text,
    name: maybe.text,
    avatarUrl: maybe.text,
  }).optional(),
  watchedSessions: maybe.texts,
});

/** One connected client, device or node; {@link presenceEntrySchema} checks it. */
export type PresenceEntry = z.infer<typeof presenceEntrySchema>;

/** Payload of the `presence` event. */
export const presenceEventSchema = open({ presence: z.array(presenceEntrySchema) });
