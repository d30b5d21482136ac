import { safeText } from "@openclaw/app-kit";
import type { EngineInfo, OpenForward } from "@openclaw/tunnel";

type End = OpenForward["local"];

/** `127.0.0.1:18790 -> 127.0.0.1:18789`, and why another local port than the one that was asked for. */
export function forwardText({ local, remote, insteadOf }: OpenForward): string {
  const why = insteadOf === undefined ? "" : ` (instead of ${insteadOf}, which is taken)`;
  return `${endText(local)} -> ${endText(remote)}${why}`;
}

export function endText(end: End): string {
  if ("path" in end) return safeText(end.path);
  return `${end.host.includes(":") ? `[${end.host}]` : end.host}:${end.port}`;
}

/** `ssh2 1.17.0` */
export function engineText({ name, version }: EngineInfo): string {
  return `${name === "system" ? "the system's ssh," : name} ${safeText(version)}`;
}

/** Where the cipher runs, in a few words. */
export function cryptographyText({ cryptography }: EngineInfo): string {
  return CRYPTOGRAPHY[cryptography];
}

const CRYPTOGRAPHY: Readonly<Record<EngineInfo["cryptography"], string>> = {
  native: "native cryptography",
  javascript: "cryptography in JavaScript",
  openssh: "cryptography of OpenSSH",
};

/** What `javascript` means for the user. */
export const NOT_NATIVE = "over node:crypto, for ssh2's native part is not built; that is slower";

/** `1.2 MB` */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  const shown = unit === 0 || value >= 100 ? Math.round(value) : Math.round(value * 10) / 10;
  return `${shown} ${units[unit]}`;
}
