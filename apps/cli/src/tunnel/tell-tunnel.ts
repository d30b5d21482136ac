import { safeText } from "@openclaw/app-kit";
import type { OpenForward, TunnelState } from "@openclaw/tunnel";
import { duration } from "../output/time.ts";
import type { CommandContext } from "../program/command-context.ts";
import { cryptographyText, engineText, forwardText } from "./tunnel-text.ts";

export interface TellTunnelInput {
  readonly name: string;
  readonly target: string;
  readonly context: CommandContext;
}

/** Tells a person, line by line, what becomes of a tunnel. */
export interface TunnelTeller {
  /** The answer was printed: with `--json`, stdout takes no more. */
  readonly hasAnswered: boolean;
  tell(state: TunnelState, forwards: readonly OpenForward[]): void;
}

/**
 * Forwards go to stdout, as soon as they listen; each change of state is a line on stderr. With
 * `--json` stdout has one document, when the tunnel is first open.
 */
export function tellTunnel({ name, target, context }: TellTunnelInput): TunnelTeller {
  const { io, json, style } = context;
  let hasAnswered = false;
  let opens = 0;

  function story(line: string): void {
    context.say(`${style.dim(new Date().toISOString().slice(11, 19))} ${line}`);
  }

  function answer(document: unknown, text: () => string): void {
    if (hasAnswered) return;
    hasAnswered = true;
    context.answer(document, text);
  }

  return {
    get hasAnswered() {
      return hasAnswered;
    },
    tell(state, forwards) {
      if (!json && forwards.length > 0) {
        answer(undefined, () => forwards.map((one) => `${forwardText(one)}\n`).join(""));
      }
      switch (state.kind) {
        case "connecting": {
          // Later attempts were announced with their cause.
          if (state.attempt === 1) story(`connecting to ${target}`);
          break;
        }
        case "open": {
          opens += 1;
          const { engine } = state;
          answer(
            { ok: true, name, target, pid: process.pid, state: "open", engine, forwards },
            () => "",
          );
          story(
            `${opens === 1 ? "open" : "open again"}: ${engineText(engine)}, ${cryptographyText(engine)}`,
          );
          if (opens === 1 && io.stderr.isTTY === true) context.say(`Ctrl-C closes it.`);
          break;
        }
        case "waiting": {
          const { cause, retryAt } = state;
          const pause = duration(Math.max(0, retryAt - Date.now()));
          story(`${safeText(cause.message)} Next attempt in ${pause}.`);
          if (cause.hint !== undefined && state.attempt === 1)
            context.say(`  ${safeText(cause.hint)}`);
          break;
        }
        case "draining":
          story("closing");
          break;
        case "closed":
          break;
      }
    },
  };
}
