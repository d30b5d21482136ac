import { safeText, type TextSink } from "@openclaw/app-kit";
import type { AttemptFailure } from "@openclaw/client";

/** What a node tells on stderr, for a person or a journal. */
export interface Story {
  say(text: string, ...more: string[]): void;
  attemptFailed(failure: AttemptFailure): void;
  connected(facts: {
    url: string;
    name: string;
    nodeId: string;
    commands: readonly string[];
  }): void;
  lost(): void;
}

export interface StoryOptions {
  sink: TextSink;
  /** The Gateway's address, for messages. */
  url: string;
  /** How an operator calls the command line. @default "openclaw" */
  program?: string;
  now?: () => number;
}

/** Says every failed attempt with its cause and the time of the next; a pairing request only once. */
export function createStory({
  sink,
  url,
  program = "openclaw",
  now = Date.now,
}: StoryOptions): Story {
  let requestId: string | undefined;

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
      `This node is not paired with ${url} yet${id === undefined ? "" : `: request ${id}`}.`,
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
      const next = retryInMs === undefined ? "giving up" : `next attempt in ${seconds(retryInMs)}`;
      // A Gateway's own text mostly says already what to set.
      const isSaid = error.hint === undefined || error.message.includes("--");
      const hint = isSaid ? [] : [safeText(error.hint ?? "")];
      say(`Not connected: ${safeText(error.message)}; ${next}.`, ...hint);
    },
    connected({ name, nodeId, commands }) {
      requestId = undefined;
      say(
        `Connected to ${url} as ${safeText(name)} (${nodeId.slice(0, 12)}).`,
        `Serving ${commands.join(", ")}`,
      );
    },
    lost() {
      requestId = undefined;
    },
  };
}

function requestIdOf(details: unknown): string | undefined {
  if (typeof details !== "object" || details === null || !("requestId" in details))
    return undefined;
  return typeof details.requestId === "string" ? safeText(details.requestId) : undefined;
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
