import { safeText, type TextSink, type WayOptions } from "@openclaw/app-kit";
import type { AttemptFailure } from "@openclaw/client";
import type { NodeTarget } from "./node-target.ts";

type WayState = Parameters<NonNullable<WayOptions["onState"]>>[0];
type WayError = Extract<WayState, { kind: "waiting" }>["cause"];

/** What a node tells on stderr, for a person or a journal. */
export interface Story {
  say(text: string, ...more: string[]): void;
  attemptFailed(failure: AttemptFailure): void;
  connected(facts: { name: string; nodeId: string; commands: readonly string[] }): void;
  lost(): void;
  /** The SSH connection changed. */
  way(state: WayState): void;
}

export interface StoryOptions {
  sink: TextSink;
  /** Where the Gateway is, for messages. */
  place: string;
  /** How an operator calls the command line. @default "openclaw" */
  program?: string;
  now?: () => number;
}

/** Where a Gateway is, for people. */
export function placeOf({ url, via }: Pick<NodeTarget, "url" | "via">): string {
  return via === undefined ? url : `${url} over SSH to ${via.target}`;
}

/** Whether an error is one of the SSH connection; its class lies in a bundle of its own. */
export function isWayError(error: unknown): error is WayError {
  return error instanceof Error && error.name === "TunnelError";
}

/** Says every failed attempt with its cause and the time of the next; a pairing request only once. */
export function createStory({
  sink,
  place,
  program = "openclaw",
  now = Date.now,
}: StoryOptions): Story {
  let requestId: string | undefined;
  let wayIsOpen = false;
  let lastHint: string | undefined;

  const say = (text: string, ...more: string[]): void => {
    const time = new Date(now()).toISOString().slice(11, 19);
    sink.write(`${time} ${text}\n`);
    for (const line of more) sink.write(`           ${line}\n`);
  };

  function pairingWaits(failure: AttemptFailure): void {
    const id = requestIdOf(failure.error.details);
    // Asked several times a second, so that an approval is seen at once.
    if (requestId === (id ?? "")) return;
    requestId = id ?? "";
    say(
      `This node is not paired with ${place} yet${id === undefined ? "" : `: request ${id}`}.`,
      `An operator can let it in: ${program} devices approve ${id ?? "<requestId>"}`,
      "Waiting; it goes on by itself.",
    );
  }

  return {
    say,
    attemptFailed(failure) {
      const { error, retryInMs } = failure;
      if (error.code === "PAIRING_REQUIRED" && retryInMs !== undefined)
        return pairingWaits(failure);
      // While the SSH connection is away, that is the story.
      if (isWayError(error.cause) && !wayIsOpen) return;
      const next = retryInMs === undefined ? "giving up" : `next attempt in ${seconds(retryInMs)}`;
      // A Gateway's own text mostly says already what to set.
      const isSaid = error.hint === undefined || error.message.includes("--");
      const hint = isSaid ? [] : [safeText(error.hint ?? "")];
      say(`Not connected: ${sentence(error.message)}; ${next}.`, ...hint);
    },
    connected({ name, nodeId, commands }) {
      requestId = undefined;
      say(
        `Connected to ${place} as ${safeText(name)} (${nodeId.slice(0, 12)}).`,
        `Serving ${commands.join(", ")}`,
      );
    },
    lost() {
      requestId = undefined;
    },
    way(state) {
      const wasOpen = wayIsOpen;
      wayIsOpen = state.kind === "open";
      if (state.kind === "open") {
        lastHint = undefined;
        const { name, serverVersion } = state.engine;
        say(`SSH connection open (${name}, ${safeText(serverVersion ?? "unknown server")}).`);
      } else if (state.kind === "waiting") {
        const what = wasOpen ? "SSH connection lost" : "No SSH connection";
        const next = `next attempt in ${seconds(Math.max(0, state.retryAt - now()))}`;
        const { hint } = state.cause;
        // Said once, it holds until the cause is another.
        const news = hint === undefined || hint === lastHint ? [] : [safeText(hint)];
        lastHint = hint;
        say(`${what}: ${sentence(state.cause.message)}; ${next}.`, ...news);
      } else if (state.kind === "closed" && state.cause !== undefined) {
        say(
          `No SSH connection: ${sentence(state.cause.message)}; giving up.`,
          ...hintOf(state.cause),
        );
      }
    },
  };
}

/** Without its full stop, since the line goes on. */
function sentence(message: string): string {
  return safeText(message).replace(/\.$/u, "");
}

function hintOf({ hint }: WayError): string[] {
  return hint === undefined ? [] : [safeText(hint)];
}

function requestIdOf(details: unknown): string | undefined {
  if (typeof details !== "object" || details === null || !("requestId" in details))
    return undefined;
  return typeof details.requestId === "string" ? safeText(details.requestId) : undefined;
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
