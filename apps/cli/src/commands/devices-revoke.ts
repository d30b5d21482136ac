import { deviceName } from "../devices/device-view.ts";
import { findDevice, findToken } from "../devices/find-device.ts";
import { withGateway } from "../gateway/session.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw devices revoke --device --role`. */
export async function run(context: CommandContext): Promise<number> {
  const role = context.text("role") ?? "";
  const scopes = ["operator.pairing", "operator.admin"];
  await withGateway(context, { scopes }, async (session) => {
    const device = await findDevice(session, context.text("device") ?? "");
    const { deviceId } = device;
    findToken(device, role);
    const result = await session.request("device.token.revoke", { deviceId, role });
    context.answer(result, () => `Revoked the ${role} token of ${deviceName(device)}.`);
  });
  return 0;
}
