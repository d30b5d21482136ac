import { DEFAULT_GATEWAY_PORT } from "@openclaw/protocol";
import { GatewayError } from "./errors.ts";

/** The cures for plaintext towards a host that is not private. */
export const INSECURE_URL_HINT =
  "Use wss://, or an SSH tunnel to the Gateway's loopback port (ssh -N -L 18789:127.0.0.1:18789 user@host), " +
  "or Tailscale (a *.ts.net name). OPENCLAW_ALLOW_INSECURE_PRIVATE_WS=1 overrides this for a network you trust.";

export interface GatewayUrlOptions {
  /** Allows plaintext to a host that is not private. @default false */
  allowInsecure?: boolean | undefined;
  /** Where the URL came from, for the message: `--url`, `config gateway.remote.url`, … */
  source?: string | undefined;
  /** The config file to name in the message. */
  configPath?: string | undefined;
}

/** A Gateway address that may be dialled. */
export interface CheckedGatewayUrl {
  /** With the port that is dialled, without user, password, query and fragment. */
  readonly url: string;
  /** `host:port`, lower case: what a device token is bound to. */
  readonly endpoint: string;
  readonly isTls: boolean;
  readonly isLoopback: boolean;
}

/**
 * Checks an address before anything is sent to it. Plaintext is for loopback, private networks
 * (RFC 1918, link-local, CGNAT, IPv6 unique local), `*.local` and `*.ts.net`; to any other host it
 * is refused, because the first frame carries a credential.
 */
export function checkGatewayUrl(
  input: string,
  options: GatewayUrlOptions = {},
): { ok: true; address: CheckedGatewayUrl } | { ok: false; error: GatewayError } {
  const parsed = URL.canParse(input) ? new URL(input) : undefined;
  if (!parsed || (parsed.protocol !== "ws:" && parsed.protocol !== "wss:") || !parsed.hostname) {
    return { ok: false, error: invalidUrl(input) };
  }
  const isTls = parsed.protocol === "wss:";
  const host = parsed.hostname.toLowerCase();
  const bareHost = host.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  // URL drops a port that is the default of the scheme; ":80" was written and has to stay.
  const writtenDefaultPort = /^wss?:\/\/[^/?#]*:(80|443)(?:[/?#]|$)/i.exec(input)?.[1];
  const port = parsed.port || writtenDefaultPort || (isTls ? "443" : String(DEFAULT_GATEWAY_PORT));
  const endpoint = `${host}:${port}`;
  const url = `${parsed.protocol}//${endpoint}${parsed.pathname}`;
  const isLoopback = isLoopbackHost(bareHost);
  if (!isTls && !isLoopback && !isPrivateHost(bareHost) && !options.allowInsecure) {
    return { ok: false, error: insecureUrl(url, options) };
  }
  return { ok: true, address: { url, endpoint, isTls, isLoopback } };
}

/** True for `localhost`, its subdomains, 127.0.0.0/8 and ::1. Takes a host without brackets. */
function isLoopbackHost(host: string): boolean {
  if (host === "localhost" || host.endsWith(".localhost") || host === "::1") return true;
  return ipv4Octets(host)?.[0] === 127;
}

/** True for a host that plaintext may reach. Takes a host without brackets. */
export function isPrivateHost(host: string): boolean {
  if (isLoopbackHost(host)) return true;
  const octets = ipv4Octets(host);
  if (octets) return isPrivateIpv4(octets);
  // fc00::/7 is unique local (a tailnet's fd7a:115c:a1e0::/48 included), fe80::/10 link-local.
  if (host.includes(":")) return /^(?:f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]):/.test(host);
  return host.endsWith(".local") || host.endsWith(".ts.net");
}

function isPrivateIpv4([a = 0, b = 0]: readonly number[]): boolean {
  if (a === 10 || a === 127) return true;
  if (a === 172) return b >= 16 && b <= 31;
  if (a === 192) return b === 168;
  if (a === 169) return b === 254;
  return a === 100 && b >= 64 && b <= 127;
}

/** Octets of an IPv4 address, also of one mapped into IPv6 the way URL and sockets write it. */
function ipv4Octets(host: string): readonly number[] | undefined {
  const dotted = /^(?:::ffff:)?(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host);
  if (dotted) return dotted.slice(1).map(Number);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host);
  if (!mapped) return undefined;
  return mapped.slice(1).flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function invalidUrl(input: string): GatewayError {
  // What follows "@" or "?" may be a secret typed into the wrong place.
  const shown = input
    .replace(/\/\/[^/]*@/, "//")
    .replace(/[?#].*$/s, "")
    .slice(0, 200);
  return new GatewayError("INVALID_URL", `not a Gateway address: ${JSON.stringify(shown)}`, {
    final: true,
    hint: "Use ws://host:port or wss://host:port.",
  });
}

function insecureUrl(url: string, { source, configPath }: GatewayUrlOptions): GatewayError {
  const origin = source === undefined ? "" : ` (from ${source})`;
  const config = configPath === undefined ? "" : ` Config: ${configPath}.`;
  return new GatewayError(
    "INSECURE_URL",
    `refusing plaintext ${url}${origin}: credentials and data would cross the network unencrypted.${config}`,
    {
      final: true,
      hint: INSECURE_URL_HINT,
    },
  );
}
