import { safeText } from "@openclaw/app-kit";
import { deviceName } from "../devices/device-view.ts";
import { findDevice } from "../devices/find-device.ts";
import { withGateway } from "../gateway/session.ts";
import { shortId } from "../output/text.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw devices rename --device --name`. */
export async function run(context: CommandContext): Promise<number> {
  const label = context.text("name") ?? "";
  await withGateway(context, { scopes: ["operator.pairing"] }, async (session) => {
    const device = await findDevice(session, context.text("device") ?? "");
    const { deviceId } = device;
    const result = await session.request("device.pair.rename", { deviceId, label });
    context.answer(
      result,
      () => `Renamed ${deviceName(device)} to ${safeText(label)} (${shortId(deviceId)}).`,
    );
  });
  return 0;
}
