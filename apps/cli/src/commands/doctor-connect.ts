import { safeText } from "@openclaw/app-kit";
import { createBudget } from "../doctor/connect/budget.ts";
import { chooseConnectTarget, type ConnectTarget } from "../doctor/connect/choose-target.ts";
import type { Note } from "../doctor/connect/faults.ts";
import { CONNECT_STEPS } from "../doctor/connect/steps.ts";
import { guardOutput } from "../doctor/connect/guard-output.ts";
import { type Trail, walkInTime } from "../doctor/connect/trail.ts";
import { usageError } from "../errors.ts";
import { gatewaySibling, placeOf } from "../gateway/choose-gateway.ts";
import { createInterruption } from "../gateway/interruption.ts";
import type { CommandContext } from "../program/command-context.ts";
import { createWalk, type Step, StepFailure } from "../remote/walk.ts";

const DEFAULT_TIMEOUT_MS = 5_000;

/** `openclaw doctor connect`: the way to a Gateway, link by link, and what breaks the first broken one. */
export async function run(given: CommandContext): Promise<number> {
  const { context, hide } = guardOutput(given);
  hide(context.text("token"));
  hide(context.text("password"));
  if (context.text("command") !== undefined && context.text("node") === undefined) {
    throw usageError("--command needs --node.", "Name the node that is to run the command.");
  }
  const timeoutMs = context.integer("timeout") ?? DEFAULT_TIMEOUT_MS;
  const budget = createBudget(timeoutMs);
  const interruption = createInterruption(context.io, true);
  const walk = walkInTime(createWalk(context, CONNECT_STEPS), budget, context);
  const notes: Note[] = [];
  const note = (added: Note): void => void notes.push(added);
  let target: ConnectTarget | undefined;
  let ok = false;
  let hasLeftBehind = false;
  const leaveBehind = (): void => void (hasLeftBehind = true);
  try {
    const chosen = await walk.take(["target"], async () => {
      const value = await chooseConnectTarget(context, note);
      const { url, urlSource, warning } = { warning: undefined, ...value.gateway.target };
      if (warning !== undefined) note({ code: "TARGET_WARNING", message: warning });
      return { value, detail: `${placeOf({ ...value.gateway.target, url })} (${urlSource})` };
    });
    target = chosen;
    hide(chosen.gateway.credentials.token);
    hide(chosen.gateway.credentials.password);
    const { walkConnect } = await import("../doctor/connect/walk-connect.ts");
    const { gateway } = chosen;
    const trail: Trail = { context, gateway, walk, budget, interruption, note, hide, leaveBehind };
    await interruption.guard(walkConnect(trail, chosen));
    ok = true;
  } catch (error) {
    // Its step has told it.
    if (!(error instanceof StepFailure)) throw error;
  } finally {
    interruption.release();
  }
  const steps = walk.finish();
  const document = {
    ok,
    target: targetView(target),
    durationMs: Math.round(budget.elapsedMs()),
    timeoutMs,
    steps: steps.map(withoutFault),
    ...brokenLink(steps),
    notes,
  };
  context.answer(document, () => closing(context, { ok, notes, steps }));
  const exitCode = ok ? 0 : 1;
  // The system's look-up of a name has no end of its own.
  if (hasLeftBehind) context.io.terminate(exitCode);
  return exitCode;
}

function targetView(target: ConnectTarget | undefined): object | null {
  if (target === undefined) return null;
  const { gateway } = gatewaySibling(target.gateway.target);
  return gateway;
}

/** What stands in `broken` need not stand twice. */
function withoutFault({ evidence: _evidence, fix: _fix, hint: _hint, ...step }: Step): object {
  return step;
}

/** The first broken link, as a script reads it. */
function brokenLink(steps: readonly Step[]): { broken?: object } {
  const step = steps.find(({ ok, reached }) => reached && !ok);
  if (step === undefined) return {};
  const { name, code, error: message, evidence = {}, fix, hint } = step;
  return {
    broken: { step: name, code, message, evidence, fix, ...(hint === undefined ? {} : { hint }) },
  };
}

function closing(
  context: CommandContext,
  { ok, notes, steps }: { ok: boolean; notes: readonly Note[]; steps: readonly Step[] },
): string {
  const { style } = context;
  const broken = steps.find((step) => step.reached && !step.ok);
  const lines = notes.flatMap(({ code, message, fix }) => [
    `Note ${code}: ${safeText(message)}`,
    ...(fix === undefined ? [] : [`  Fix: ${safeText(fix)}`]),
  ]);
  const verdict = ok ? style.good("Connected.") : style.bad(`Broken: ${broken?.code ?? "unknown"}`);
  return [...lines, verdict].join("\n");
}
