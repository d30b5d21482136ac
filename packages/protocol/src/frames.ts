import type { ErrorShape } from "./error-codes.ts";
import { RawJson } from "./raw-json.ts";

/** A call that expects an answer with the same `id`. */
export interface RequestFrame {
  type: "req";
  /** Chosen by the caller, echoed verbatim. Not empty. */
  id: string;
  method: string;
  params?: unknown;
  /** W3C trace context, at most 128 characters. Protocol 4. */
  traceparent?: string;
  /** Protocol 4. */
  expectedProfileId?: string;
}

/** The answer to a {@link RequestFrame}. A few methods answer twice with the same `id`. */
export interface ResponseFrame {
  type: "res";
  id: string;
  ok: boolean;
  payload?: unknown;
  error?: ErrorShape;
}

/** Growing counters of what a snapshot or event describes. */
export interface StateVersion {
  presence: number;
  health: number;
}

/** A message that expects no answer. */
export interface EventFrame {
  type: "event";
  event: string;
  payload?: unknown;
  /** Counts the events of one connection from 1; absent on events directed at one node. */
  seq?: number;
  stateVersion?: StateVersion;
  /** Protocol 4. */
  recipientProfileId?: string;
}

/** One message of the wire. */
export type Frame = RequestFrame | ResponseFrame | EventFrame;

/** A request as text; `params` are left out when `undefined`. */
export function encodeRequest(id: string, method: string, params?: unknown): string {
  const head = `{"type":"req","id":${JSON.stringify(id)},"method":${JSON.stringify(method)}`;
  return `${head}${member("params", params)}}`;
}

/** A successful response as text; the payload is left out when `undefined`. */
export function encodeResponse(id: string, payload?: unknown): string {
  return `{"type":"res","id":${JSON.stringify(id)},"ok":true${member("payload", payload)}}`;
}

/** A failed response as text. */
export function encodeError(id: string, error: ErrorShape): string {
  return `{"type":"res","id":${JSON.stringify(id)},"ok":false,"error":${JSON.stringify(error)}}`;
}

/** The members of an event; those that are `undefined` are left out. */
export interface EventContent {
  event: string;
  payload?: unknown;
  seq?: number | undefined;
  stateVersion?: StateVersion | undefined;
}

/** An event as text. */
export function encodeEvent({ event, payload, seq, stateVersion }: EventContent): string {
  const head = `{"type":"event","event":${JSON.stringify(event)}${member("payload", payload)}`;
  const count = seq === undefined ? "" : `,"seq":${seq}`;
  return `${head}${count}${member("stateVersion", stateVersion)}}`;
}

function member(name: string, value: unknown): string {
  if (value === undefined) return "";
  const text: string | undefined = value instanceof RawJson ? value.text : JSON.stringify(value);
  // Functions and symbols have no JSON.
  return text === undefined ? "" : `,"${name}":${text}`;
}
