import { safeText } from "@openclaw/app-kit";
import type { Beacon } from "@openclaw/discovery";
import type { Style } from "../output/style.ts";

/** An entry for a person: the name, then one line each of what is said. */
export function beaconLines(beacon: Beacon, style: Style): string[] {
  const { displayName, domain, tailnetDns, lanHost, host, port, addresses, wsUrl, sshPort } =
    beacon;
  const place = host === undefined ? undefined : `${host}${port === undefined ? "" : `:${port}`}`;
  const where = [place, addresses.join(", ")].filter((text) => text !== undefined && text !== "");
  const details: readonly (readonly [string, string | undefined])[] = [
    ["tailnet", tailnetDns],
    ["lan", lanHost],
    ["host", where.length === 0 ? undefined : where.join(" · ")],
    ["ws", wsUrl],
    ["ssh", sshText(beacon, sshPort)],
    ["tls", tlsText(beacon)],
  ];
  return [
    `${style.bold(safeText(displayName))}  ${style.dim(safeText(domain))}`,
    ...details.flatMap(([label, value]) =>
      value === undefined ? [] : [`  ${style.dim(`${label}:`)} ${safeText(value)}`],
    ),
  ];
}

function sshText({ tailnetDns, lanHost, host, cliPath }: Beacon, port: number | undefined) {
  const name = tailnetDns ?? lanHost ?? host;
  if (port === undefined || name === undefined) return undefined;
  return `${name} port ${port}${cliPath === undefined ? "" : ` · ${cliPath}`}`;
}

function tlsText({ gatewayTls, gatewayTlsFingerprintSha256 }: Beacon): string | undefined {
  if (!gatewayTls) return undefined;
  return gatewayTlsFingerprintSha256 === undefined
    ? "on, no fingerprint given"
    : `${gatewayTlsFingerprintSha256} (unverified: compare it on the Gateway's own host)`;
}
