import type { ChosenGateway } from "../../gateway/choose-gateway.ts";
import type { Interruption } from "../../gateway/interruption.ts";
import type { CommandContext } from "../../program/command-context.ts";
import type { Walk } from "../../remote/walk.ts";
import type { Budget } from "./budget.ts";
import { fault, type Note } from "./faults.ts";
import type { ConnectStep } from "./steps.ts";

/** What every link of the walk needs. */
export interface Trail {
  readonly context: CommandContext;
  readonly gateway: ChosenGateway;
  readonly walk: Walk;
  readonly budget: Budget;
  readonly interruption: Interruption;
  note(note: Note): void;
  /** A secret that was found on the way, and is not to be printed. */
  hide(secret: string): void;
  /** Something still runs that cannot be stopped, and that the process is not to wait for. */
  leaveBehind(): void;
}

/** A walk whose steps end with the budget, whatever they still wait for. */
export function walkInTime(walk: Walk, budget: Budget, context: CommandContext): Walk {
  return {
    ...walk,
    take: (names, work) =>
      walk.take(names, async () => {
        const late = Promise.withResolvers<never>();
        const limitMs = budget.explain(Number.MAX_SAFE_INTEGER);
        const timer = setTimeout(
          () =>
            late.reject(
              fault("OUT_OF_TIME", `no time was left for this step.`, {
                // The names are those of the steps.
                at: names[0] as ConnectStep,
                evidence: { waitedMs: limitMs },
                fix: context.commandLine("doctor connect --timeout 20000"),
                hint: "This machine, the network or the other side is slow; nothing is known to be broken.",
              }),
            ),
          limitMs,
        );
        try {
          return await Promise.race([work(), late.promise]);
        } finally {
          clearTimeout(timer);
        }
      }),
  };
}

/** A command that goes to another place than the present one: for good where the config chose that. */
export function goTo(trail: Pick<Trail, "context" | "gateway">, place: string): string {
  const { context, gateway } = trail;
  return gateway.target.urlSource.startsWith("config ")
    ? context.commandLine(`remote set ${place}`)
    : context.commandLine(`doctor connect ${place}`);
}
