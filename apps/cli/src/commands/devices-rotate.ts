import { deviceName } from "../devices/device-view.ts";
import { findDevice, findToken } from "../devices/find-device.ts";
import { withGateway } from "../gateway/session.ts";
import type { CommandContext } from "../program/command-context.ts";

const PAIRING = "operator.pairing";

interface Rotation {
  role?: string;
  /** Only for the device itself; everyone else has it delivered to the device. */
  token?: string;
  scopes?: string[];
}

/** `openclaw devices rotate --device --role`. */
export async function run(context: CommandContext): Promise<number> {
  const role = context.text("role") ?? "";
  const wanted = context.list("scope");
  const scopes = context.flag("no-scopes") ? [] : wanted.length > 0 ? wanted : undefined;
  const device = await withGateway(context, { scopes: [PAIRING] }, (session) =>
    findDevice(session, context.text("device") ?? ""),
  );
  // A caller cannot touch what it does not hold, and no role but operator has scopes.
  const grant = findToken(device, role);
  const held = role === "operator" ? (grant.scopes ?? []) : ["operator.admin"];
  await withGateway(context, { scopes: [...new Set([PAIRING, ...held])] }, async (session) => {
    const result = await session.request<Rotation>("device.token.rotate", {
      deviceId: device.deviceId,
      role,
      ...(scopes === undefined ? {} : { scopes }),
    });
    context.answer(result, () =>
      [
        `Rotated the ${role} token of ${deviceName(device)}.`,
        result.token === undefined
          ? "The device gets the new one when it connects again."
          : "Print the new one with --json.",
      ].join("\n"),
    );
  });
  return 0;
}
