import { asObject, certificatePlace, messageOf } from "@openclaw/app-kit";
import type { CommandContext } from "../program/command-context.ts";

/** The certificate of this machine's Gateway, for `gateway status`. */
export interface OwnTls {
  readonly fingerprint: string | null;
  readonly publicKey: string | null;
  readonly notAfterMs: number | null;
  readonly certPath: string | null;
  readonly isGenerated: boolean | null;
  readonly warnings: readonly string[];
  /** Why there is nothing to show. */
  readonly error: string | null;
}

const NOTHING = {
  fingerprint: null,
  publicKey: null,
  notAfterMs: null,
  certPath: null,
  isGenerated: null,
  warnings: [],
};

/** What is pinned of the Gateway of this machine; null where `gateway.tls` is off. Never throws. */
export async function readOwnTls(
  { paths }: Pick<CommandContext, "paths">,
  config: object,
): Promise<OwnTls | null> {
  if (asObject(asObject(asObject(config)["gateway"])["tls"])["enabled"] !== true) return null;
  try {
    const { readGatewayCertificate } = await import("@openclaw/exposure");
    const found = await readGatewayCertificate(certificatePlace(paths, config));
    if (found === undefined) {
      return { ...NOTHING, error: "no certificate yet; the first start of the Gateway makes one" };
    }
    const { fingerprint, publicKeyPin, notAfterMs, certPath, isGenerated, warnings } = found;
    return {
      fingerprint,
      publicKey: publicKeyPin,
      notAfterMs,
      certPath,
      isGenerated,
      warnings,
      error: null,
    };
  } catch (error) {
    return { ...NOTHING, error: messageOf(error) };
  }
}

/** Lines for people, as pairs of heading and text. */
export function ownTlsFields(tls: OwnTls | null): [string, string | undefined][] {
  if (tls === null) return [];
  if (tls.fingerprint === null) return [["TLS:", tls.error ?? undefined]];
  const until = new Date(tls.notAfterMs ?? 0).toISOString().slice(0, 10);
  return [
    ["TLS:", `${tls.certPath}, valid until ${until}`],
    ["Fingerprint:", tls.fingerprint],
    ["Public key:", `${tls.publicKey} (stays when the certificate is renewed: the better pin)`],
    ...tls.warnings.map((warning): [string, string] => ["", warning]),
  ];
}
