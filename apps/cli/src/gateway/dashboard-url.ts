import { basePathOf, planDashboard } from "../dashboard/plan-dashboard.ts";
import type { CommandContext } from "../program/command-context.ts";
import type { ChosenGateway } from "./choose-gateway.ts";
import type { LocalExposure } from "./local-exposure.ts";

/** Where a browser finds the page of a Gateway: by the name that Tailscale serves, where it does. */
export function dashboardUrl(
  { env }: Pick<CommandContext, "env">,
  { target, loose: { config } }: ChosenGateway,
  exposure: LocalExposure,
): string {
  if (target.kind === "local" && exposure.url !== null) {
    return new URL(`${basePathOf(config)}/`.replace(/^\//, "./"), exposure.url).href;
  }
  return planDashboard({ target, config, env, user: "", host: "" }).httpUrl;
}
