import { hasCode, messageOf } from "@openclaw/app-kit";
import { describeHolder, findPortHolders, holderHint } from "./port-holder.ts";
import type { StartPlan } from "./start-plan.ts";
import type { StartRefusal } from "./start-refusal.ts";

/** Why the addresses of the plan could not be had; a busy port names its holder. */
export async function refusedListen(
  error: unknown,
  plan: Pick<StartPlan, "bind" | "port" | "hosts">,
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
  const isMissing = hasCode(error, "EADDRNOTAVAIL") || causedBy(error, "EADDRNOTAVAIL");
  if (isMissing && plan.bind === "custom") {
    return {
      id: "R14",
      message: `gateway.bind is custom, and this machine does not have the address ${plan.hosts[0]} of gateway.customBindHost`,
      hints: [
        "Set gateway.customBindHost to an address that this machine has now, see: ip address",
      ],
      // The address may come up later; a supervisor may try again.
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

function causedBy(error: unknown, code: string): boolean {
  return error instanceof Error && hasCode(error.cause, code);
}
