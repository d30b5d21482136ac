import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { expandHome, type GatewayTargetKind, type Paths } from "@openclaw/config";
import { asObject } from "./json-object.ts";

/** Where the certificate of this machine's Gateway is kept. */
export interface CertificatePlace {
  /** Folder of the one that the Gateway makes for itself. */
  readonly directory: string;
  /** `gateway.tls.certPath`, absolute. */
  readonly certPath: string | undefined;
  /** `gateway.tls.keyPath`, absolute. */
  readonly keyPath: string | undefined;
}

/** Reads `gateway.tls` for paths; relative ones begin at the config file, `~` is the home directory. */
export function certificatePlace(
  { stateDir, configPath, home }: Pick<Paths, "stateDir" | "configPath" | "home">,
  config: object,
): CertificatePlace {
  const tls = asObject(asObject(asObject(config)["gateway"])["tls"]);
  const absolute = (text: unknown): string | undefined =>
    typeof text === "string" && text.trim() !== ""
      ? resolve(dirname(configPath), expandHome(text.trim(), home))
      : undefined;
  return {
    directory: join(stateDir, "gateway", "tls"),
    certPath: absolute(tls["certPath"]),
    keyPath: absolute(tls["keyPath"]),
  };
}

interface Target {
  readonly url: string;
  readonly kind: GatewayTargetKind;
  readonly via?: unknown;
  readonly tlsFingerprint?: readonly string[] | undefined;
}

/**
 * Pins the Gateway of this machine to the key in its own certificate file, so that a certificate
 * which no authority has signed needs no pin by hand where it was made. Any other target, and one
 * that is pinned, stays as it is; so does one whose file cannot be read.
 */
export async function withOwnPin<T extends Target>(target: T, place: CertificatePlace): Promise<T> {
  const isOwn = target.kind === "local" || target.kind === "port-flag";
  if (!isOwn || !target.url.startsWith("wss:")) return target;
  if (target.via !== undefined || target.tlsFingerprint !== undefined) return target;
  const path = place.certPath ?? join(place.directory, "gateway-cert.pem");
  try {
    // Needed for TLS alone, and commands begin in milliseconds.
    const { createHash, X509Certificate } = await import("node:crypto");
    const { publicKey } = new X509Certificate(await readFile(path));
    const der = publicKey.export({ type: "spki", format: "der" });
    const pin = `sha256//${createHash("sha256").update(der).digest("base64")}`;
    return { ...target, tlsFingerprint: [pin] };
  } catch {
    // Then an authority has to vouch, and the failure tells what to do.
    return target;
  }
}
