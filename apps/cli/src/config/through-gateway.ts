import { editConfigText, type ConfigEdit } from "@openclaw/config";
import type { ConfigChangeResult, ConfigGetResult } from "@openclaw/protocol";
import { CliError } from "../errors.ts";
import { chooseGateway } from "../gateway/choose-gateway.ts";
import { withGateway } from "../gateway/session.ts";
import type { CommandContext } from "../program/command-context.ts";

/** What is to become of the config that a Gateway has. */
export type RemoteChange =
  | { readonly raw: string }
  /** Edits of the config as it is written there, secrets hidden. */
  | { readonly edits: (config: unknown) => readonly ConfigEdit[] };

/** A change that was made and confirmed. */
export interface ConfirmedChange {
  readonly path: string;
  readonly changedPaths: readonly string[];
  /** How the Gateway was reached after the change. */
  readonly url: string;
}

/** Between two attempts to come in after the change. */
const PAUSE_MS = 500;
/** One attempt; a Gateway that cannot be reached any more often says nothing at all. */
const ATTEMPT_MS = 5_000;

/**
 * Changes the config through its Gateway, and confirms the change over a new connection, which is made
 * as any later command would make it. When that cannot be done in time, the Gateway takes the change
 * back by itself.
 *
 * @throws {CliError} when the change was refused, or could not be confirmed
 */
export async function changeThroughGateway(
  context: CommandContext,
  confirmMs: number,
  change: RemoteChange,
): Promise<ConfirmedChange> {
  const { result, expiresAt } = await withGateway(
    context,
    { scopes: ["operator.admin"] },
    async (session) => {
      if (!session.serves("config.confirm")) {
        throw new CliError("cli_error", "this Gateway cannot take a change back by itself", {
          fields: { kind: "unsupported" },
          hints: ["Make the change without --confirm, or update the Gateway."],
        });
      }
      const now = await session.request<ConfigGetResult>("config.get");
      const raw =
        "raw" in change
          ? change.raw
          : await editConfigText(now.raw ?? "{}\n", change.edits(now.sourceConfig ?? {}));
      const params = { raw, confirmMs, ...(now.exists ? { baseHash: now.hash } : {}) };
      const expires = performance.now() + confirmMs;
      const answer = await session.request<ConfigChangeResult>("config.apply", params);
      return { result: answer, expiresAt: expires };
    },
  );
  const { pending, path, changedPaths = [] } = result;
  if (pending === undefined) throw new Error("the Gateway waits for no confirmation");
  context.say(
    `Changed ${changedPaths.join(", ") || "nothing"}; confirming it over a new connection …`,
  );
  const url = await confirm(context, pending.id, expiresAt);
  return { path, changedPaths, url };
}

async function confirm(context: CommandContext, id: string, expiresAt: number): Promise<string> {
  let last: unknown;
  for (;;) {
    const leftMs = expiresAt - performance.now();
    if (leftMs <= 0) throw unconfirmed(context, id, last);
    try {
      // Chosen anew each time: address and secret may be other ones now.
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      const gateway = await chooseGateway(context);
      const timeoutMs = Math.ceil(Math.min(ATTEMPT_MS, leftMs));
      // oxlint-disable-next-line no-await-in-loop
      return await withGateway(
        context,
        { scopes: ["operator.admin"], gateway, timeoutMs },
        async (session) => {
          await session.request("config.confirm", { id });
          return gateway.target.url;
        },
      );
    } catch (error) {
      last = error;
      // The change is gone already, or was confirmed by somebody else.
      if (isGone(error)) throw unconfirmed(context, id, error);
    }
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && error.message.includes("no such config change waits");
}

function unconfirmed(context: CommandContext, id: string, last: unknown): CliError {
  const why =
    last instanceof Error ? `The last attempt: ${last.message}` : "There was no time left.";
  return new CliError(
    "cli_error",
    "nobody could confirm the change over a new connection; the Gateway takes it back by itself",
    {
      fields: { kind: "unconfirmed", id },
      hints: [why, `Look at what is configured now: ${context.commandLine("config diff")}`],
      cause: last,
    },
  );
}
