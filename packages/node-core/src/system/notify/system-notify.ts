import { commandSchemas } from "@openclaw/protocol";
import { defineCommand, type NodeCommand } from "../../define-command.ts";
import { CommandError } from "../../errors.ts";
import type { SystemHost } from "../system-host.ts";
import { notify } from "./notifier.ts";

/** `system.notify`: a notification on the screen of this machine. */
export function systemNotifyCommand(host: SystemHost): NodeCommand {
  return defineCommand({
    name: "system.notify",
    params: commandSchemas["system.notify"].params.strip(),
    async run(params, { signal }) {
      if (!params.title?.trim() && !params.body?.trim()) {
        throw new CommandError("INVALID_REQUEST", "a notification needs a title or a body");
      }
      await notify(params, host, signal);
    },
  });
}
