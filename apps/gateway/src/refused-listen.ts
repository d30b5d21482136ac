import { hasCode, messageOf } from "@openclaw/app-kit";
import { describeHolder, findPortHolders, holderHint } from "./port-holder.ts";
import type { StartPlan } from "./start-plan.ts";
import type { StartRefusal } from "./start-refusal.ts";

/** Why the addresses of the plan could not be had; a busy port names its holder. */
export async function refusedListen(
  error: unknown,
  plan: Pick<StartPlan, "port" | "hosts">,
): Promise<StartRefusal> {
  if (hasCode(error, "PORT_IN_USE") || hasCode(error, "EADDRINUSE")) {
    const holders = await findPortHolders(plan.port);
    const names = holders.map(describeHolder);
    return {
      id: "R12",
      message: `port ${plan.port} is in use${names.length === 0 ? "" : ` by ${names.join(", ")}`}`,
      hints: [holderHint(holders, plan.port), "--port 0 takes any free port."],
      exitCode: 1,
    };
  }
  return {
    id: "bind",
    message: `cannot listen on ${plan.hosts.join(", ")} port ${plan.port}: ${messageOf(error)}`,
    hints: [],
    exitCode: hasCode(error, "BIND_REFUSED") ? 78 : 1,
  };
}
