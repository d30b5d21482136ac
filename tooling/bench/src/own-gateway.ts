import { existsSync } from "node:fs";
import { join } from "node:path";
import { startGateway, writeConfig } from "./subjects.ts";
import type { GatewayLauncher } from "./subjects.ts";
import { CLI_ENTRY, ROOT, sourceArgs } from "./workspace.ts";

/** Our Gateway: the built command line where there is one, else the library from source. */
export function ownGateway(which?: "cli" | "core"): GatewayLauncher {
  const isBuilt = existsSync(join(ROOT, "apps", "cli", "dist")) && existsSync(CLI_ENTRY);
  if (which === "cli" && !isBuilt) throw new Error("the CLI is not built: npm run build");
  const usesCli = isBuilt && which !== "core";
  const args = usesCli ? [CLI_ENTRY, "gateway", "run"] : sourceArgs("./gateway-main.ts");
  return {
    name: usesCli ? "gateway" : "gateway (source)",
    cli: usesCli ? [CLI_ENTRY] : undefined,
    slowness: 1,
    start: ({ execArgv = [] } = {}) =>
      startGateway({
        args: [...execArgv, ...args],
        prepare: (home) => writeConfig(home, { gateway: { mode: "local" } }),
      }),
  };
}
