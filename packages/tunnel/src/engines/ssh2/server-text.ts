import type { Client } from "ssh2";

/** Longer texts say no more. */
const MAX_LENGTH = 300;

/** What a server says, fit for errors and logs: nothing of it may steer a terminal. */
export function serverText(text: string): string {
  return text.replace(/\s+/gu, " ").replace(/\p{C}/gu, "\u{FFFD}").slice(0, MAX_LENGTH);
}

/** Messages of ssh2 whose texts end in its errors or in ours. */
interface TextHandlers {
  DISCONNECT(protocol: unknown, reason: number, text: string): void;
  CHANNEL_OPEN_FAILURE(protocol: unknown, channel: number, reason: number, text: string): void;
  USERAUTH_FAILURE(protocol: unknown, methods: readonly string[], isPartial: boolean): void;
}

/** Cleans the texts before ssh2 makes errors of them; to be called right after `connect()`. */
export function cleanServerTexts(client: Client): void {
  const { _handlers: handlers } = (
    client as unknown as { _protocol: { readonly _handlers: TextHandlers } }
  )._protocol;
  const { DISCONNECT, CHANNEL_OPEN_FAILURE, USERAUTH_FAILURE } = handlers;
  handlers.DISCONNECT = (from, reason, text) => DISCONNECT(from, reason, serverText(text));
  handlers.CHANNEL_OPEN_FAILURE = (from, channel, reason, text) =>
    CHANNEL_OPEN_FAILURE(from, channel, reason, serverText(text));
  handlers.USERAUTH_FAILURE = (from, methods, isPartial) =>
    USERAUTH_FAILURE(from, methods.map(serverText), isPartial);
}
