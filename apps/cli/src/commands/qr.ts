import { asObject, safeText } from "@openclaw/app-kit";
import type { DevicePairSetupCodeResult } from "@openclaw/protocol";
import { CliError, usageError } from "../errors.ts";
import { readConfig } from "../gateway/choose-gateway.ts";
import { withGateway } from "../gateway/session.ts";
import { wantsColour } from "../output/style.ts";
import type { QrDrawing } from "../pairing/draw-qr.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw qr`: a setup code, and a picture of it. */
export async function run(context: CommandContext): Promise<number> {
  const params = {
    ...(await publicUrl(context)),
    ...profile(context),
  };
  await withGateway(context, { scopes: ["operator.admin"] }, async (session) => {
    const issued = await session
      .request<DevicePairSetupCodeResult>("device.pair.setupCode", params)
      .catch((error: unknown) => {
        throw explained(error, context);
      });
    const { drawQr } = await import("../pairing/draw-qr.ts");
    context.answer(issued, () => {
      if (context.flag("setup-code-only")) return issued.setupCode;
      return describe(issued, context, drawQr);
    });
  });
  return 0;
}

/** The address that goes into the code, where it is not left to the Gateway. */
async function publicUrl(context: CommandContext): Promise<{ publicUrl?: string }> {
  const given = context.text("public-url");
  if (given !== undefined && context.flag("remote"))
    throw usageError("--public-url and --remote name two addresses: choose one.");
  if (given !== undefined) return { publicUrl: given };
  if (context.flag("remote")) {
    const { config } = await readConfig(context);
    const remote = asObject(asObject(asObject(config)["gateway"])["remote"]);
    const url = remote["url"];
    if (typeof url === "string" && /^wss?:/u.test(url)) return { publicUrl: url };
    throw usageError(
      "--remote needs gateway.remote.url with a ws:// or wss:// address.",
      "Name the address yourself: --public-url wss://…",
    );
  }
  // The address that was typed is one that works from here.
  const url = context.text("url");
  return url !== undefined && /^wss?:/u.test(url) ? { publicUrl: url } : {};
}

function profile(context: CommandContext): { bootstrapProfile?: string } {
  const chosen = ["limited", "node", "voice-node"].filter((name) => context.flag(name));
  if (chosen.length > 1) throw usageError(`--${chosen.join(" and --")} exclude each other.`);
  return chosen[0] === undefined ? {} : { bootstrapProfile: chosen[0] };
}

/** Adds the cures to the refusal of a Gateway that nobody else can reach. */
function explained(error: unknown, context: CommandContext): unknown {
  if (!(error instanceof Error) || !error.message.includes("only listens on loopback"))
    return error;
  return new CliError("gateway_request_error", error.message, {
    hints: [
      `In your network: ${context.commandLine("config set gateway.bind lan")} (or tailnet), then restart the Gateway`,
      `Through Tailscale: ${context.commandLine("config set gateway.tailscale.mode serve")}, then restart the Gateway`,
      `Behind a proxy or a tunnel of your own: ${context.commandLine("qr --public-url wss://<name>")}`,
    ],
    fields: { kind: "loopback_only", method: "device.pair.setupCode" },
    cause: error,
  });
}

function describe(
  issued: DevicePairSetupCodeResult,
  context: CommandContext,
  drawQr: (text: string, options: { colour: boolean }) => QrDrawing,
): string {
  const { setupCode, gatewayUrl, access, accessDowngraded, expiresAtMs } = issued;
  const { io, env, style } = context;
  const noColor = context.flag("no-color");
  const drawing = drawQr(setupCode, { colour: wantsColour({ sink: io.stdout, env, noColor }) });
  const hasRoom = io.stdout.columns === undefined || io.stdout.columns >= drawing.columns;
  const showsPicture = !context.flag("no-ascii") && hasRoom;
  const minutes = Math.max(1, Math.round((expiresAtMs - Date.now()) / 60_000));
  return [
    ...(showsPicture ? [drawing.text, ""] : []),
    `${style.bold("Setup code")} (one device, once, within ${minutes} minutes):`,
    setupCode,
    "",
    `Gateway: ${safeText(gatewayUrl)}`,
    `Access: ${ACCESS_TEXT[access]}`,
    ...(accessDowngraded === true
      ? [
          style.warn(
            "The address is not encrypted, so the code gives limited access. For full access use wss://.",
          ),
        ]
      : []),
    `On the other machine: ${context.commandLine("connect <code>")}`,
  ].join("\n");
}

const ACCESS_TEXT = {
  full: "full, as a node and as an operator who administrates",
  limited: "limited, as a node and as an operator who does not administrate",
  node: "as a node, which executes commands and asks for nothing",
} as const;
