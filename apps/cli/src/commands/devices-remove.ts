import { deviceName } from "../devices/device-view.ts";
import { findDevice } from "../devices/find-device.ts";
import { withGateway } from "../gateway/session.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw devices remove <deviceId>`. */
export async function run(context: CommandContext): Promise<number> {
  await withGateway(context, { scopes: ["operator.pairing"] }, async (session) => {
    const device = await findDevice(session, context.args[0] ?? "");
    const result = await session.request("device.pair.remove", { deviceId: device.deviceId });
    context.answer(result, () => `Removed ${deviceName(device)}. It has to ask for pairing again.`);
  });
  return 0;
}
