import { hostname } from "node:os";
import { certificatePlace } from "@openclaw/app-kit";
import {
  ExposureError,
  type GatewayCertificate,
  lanAddresses,
  readGatewayCertificate,
  renewGatewayCertificate,
  tailnetAddresses,
} from "@openclaw/exposure";
import { CliError } from "../errors.ts";
import { readConfig } from "../gateway/choose-gateway.ts";
import { renderFields } from "../output/table.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw gateway certificate`: what clients pin; `--renew` issues it anew, with the same key. */
export async function run(context: CommandContext): Promise<number> {
  const { config } = await readConfig(context);
  const place = certificatePlace(context.paths, config);
  const isRenewing = context.flag("renew");
  const certificate = await named(() =>
    isRenewing
      ? renewGatewayCertificate({ ...place, names: ownNames() })
      : readGatewayCertificate(place),
  );
  if (certificate === undefined) {
    throw new CliError("cli_error", `there is no certificate in ${place.directory}.`, {
      hints: [
        "Set gateway.tls.enabled to true; the next start of the Gateway makes one.",
        `Then: ${context.commandLine("gateway restart")}`,
      ],
      fields: { kind: "config", code: "CERT_MISSING" },
    });
  }
  answer(context, certificate, isRenewing);
  return 0;
}

function answer(
  context: CommandContext,
  certificate: GatewayCertificate,
  isRenewed: boolean,
): void {
  const { fingerprint, publicKeyPin, notAfterMs, certPath, keyPath, isGenerated } = certificate;
  const { warnings } = certificate;
  const document = {
    ok: true,
    renewed: isRenewed,
    fingerprint,
    publicKey: publicKeyPin,
    notAfterMs,
    certPath,
    keyPath,
    isGenerated,
    warnings,
  };
  context.answer(document, () =>
    [
      ...(isRenewed ? ["Renewed, with the same key."] : []),
      renderFields(
        [
          ["Certificate", certPath],
          ["Made by", isGenerated ? "the Gateway, for itself" : "somebody else"],
          ["Valid until", new Date(notAfterMs).toISOString().slice(0, 10)],
          ["Fingerprint", fingerprint],
          ["Public key", publicKeyPin],
        ],
        context.style,
      ).trimEnd(),
      ...warnings.map((warning) => context.style.warn(warning)),
      ...(isRenewed
        ? [
            "Clients that have pinned the public key notice nothing; those that have pinned the fingerprint need the new one.",
            `The Gateway shows it after: ${context.commandLine("gateway restart")}`,
          ]
        : []),
    ].join("\n"),
  );
}

/** How others may call this machine. */
function ownNames(): string[] {
  return [hostname(), ...lanAddresses(), ...Object.values(tailnetAddresses())];
}

async function named<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ExposureError)) throw error;
    throw new CliError("cli_error", error.message, {
      hints: error.hint === undefined ? [] : [error.hint],
      fields: { kind: "config", code: error.code },
      cause: error,
    });
  }
}
