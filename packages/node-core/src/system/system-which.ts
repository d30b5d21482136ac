import { commandSchemas } from "@openclaw/protocol";
import { defineCommand, type NodeCommand } from "../define-command.ts";
import { pathOf } from "./run/child-env.ts";
import { resolveExecutable } from "./run/resolve-executable.ts";
import type { SystemHost } from "./system-host.ts";

/** `system.which`: the paths of programs, missing ones left out. */
export function systemWhichCommand(host: SystemHost): NodeCommand {
  const options = {
    pathEnv: pathOf(host.env),
    cwd: host.cwd,
    platform: host.platform,
    pathExt: host.env["PATHEXT"],
  };
  return defineCommand({
    name: "system.which",
    params: commandSchemas["system.which"].params.strip(),
    run({ bins }) {
      const found: Record<string, string> = {};
      for (const bin of bins) {
        const path = resolveExecutable(bin, options);
        if (path !== undefined) found[bin] = path;
      }
      return { bins: found };
    },
  });
}
