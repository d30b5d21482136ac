import { usageError } from "../errors.ts";

/** The tunnel that has no name of its own, as a service that was installed without one. */
export const DEFAULT_NAME = "default";

/** What also names a service: see `serviceNames` of @openclaw/service. */
const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/iu;

export function isTunnelName(text: string): boolean {
  return NAME.test(text);
}

/** @throws {CliError} `cli_error` when a tunnel cannot be called so */
export function checkTunnelName(text: string): string {
  if (isTunnelName(text)) return text;
  throw usageError(
    `${JSON.stringify(text.slice(0, 80))} is no name of a tunnel.`,
    'Use letters, digits, "-" and "_", at most 64, beginning with a letter or digit.',
  );
}

/** A name for a tunnel that was given none: the first part of the host's, or its address. */
export function nameAfter(host: string): string {
  const isAddress = /^[\d.]+$|:/u.test(host);
  const part = isAddress ? host : (host.split(".")[0] ?? host);
  const name = part
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/gu, "-")
    .replace(/^[-_]+|-+$/gu, "")
    .slice(0, 60);
  return name === "" || name === DEFAULT_NAME ? "tunnel" : name;
}
