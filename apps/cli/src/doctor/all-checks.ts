import { configChecks } from "./checks/config-checks.ts";
import { environmentChecks } from "./checks/environment-checks.ts";
import { exposureChecks } from "./checks/exposure-checks.ts";
import { gatewayChecks } from "./checks/gateway-checks.ts";
import { machineChecks } from "./checks/machine-checks.ts";
import { serviceChecks } from "./checks/service-checks.ts";
import { stateChecks } from "./checks/state-checks.ts";
import { tunnelChecks } from "./checks/tunnel-checks.ts";
import type { Check } from "./facts.ts";

/** Everything that a doctor looks at. Where files are comes first, since the rest is read from there. */
export const checks: readonly Check[] = [
  ...stateChecks,
  ...configChecks,
  ...environmentChecks,
  ...serviceChecks,
  ...tunnelChecks,
  ...gatewayChecks,
  ...exposureChecks,
  ...machineChecks,
];
