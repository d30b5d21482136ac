import type { DevicePairList } from "../devices/device-entry.ts";
import { deviceRequestTable, pairedDeviceTable } from "../devices/device-view.ts";
import { withGateway } from "../gateway/session.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw devices list`: requests, then paired devices. */
export async function run(context: CommandContext): Promise<number> {
  await withGateway(context, { scopes: ["operator.pairing"] }, async (session) => {
    const list = await session.request<Partial<DevicePairList>>("device.pair.list", {});
    const { pending = [], paired = [] } = list;
    const { style } = context;
    context.answer({ ...list, pending, paired }, () => {
      if (pending.length + paired.length === 0) return "no device pairing entries";
      const parts: string[] = [];
      if (pending.length > 0) {
        parts.push(
          `${style.bold(`Pending (${pending.length})`)}\n${deviceRequestTable(pending, style, Date.now())}`,
          `Let one in: ${context.commandLine("devices approve <request>")}\n`,
        );
      }
      if (paired.length > 0) {
        parts.push(
          `${style.bold(`Paired (${paired.length})`)}\n${pairedDeviceTable(paired, style)}`,
        );
      }
      return parts.join("\n");
    });
  });
  return 0;
}
