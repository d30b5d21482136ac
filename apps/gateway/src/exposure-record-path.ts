import { join } from "node:path";

/** What one Gateway remembers of the Tailscale route that it made. */
export function exposureRecordPath(stateDir: string): string {
  return join(stateDir, "gateway", "tailscale.json");
}
