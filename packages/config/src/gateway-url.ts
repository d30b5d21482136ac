import { ConfigError } from "./config-error.ts";
import { DEFAULT_PORT } from "./gateway-port.ts";
import { queryCredential } from "./url-credentials.ts";

/**
 * Checks a gateway URL and writes it in one form: `ws:` with its port, that of a Gateway where none
 * was given, or `wss:`; path and query kept, no bare trailing slash. The form of a form is itself.
 *
 * @param source where the URL came from, for the message.
 * @throws {@link ConfigError} `INVALID_URL`
 */
export function normalizeGatewayUrl(text: string, source: string): string {
  const trimmed = text.trim();
  let url: URL;
  try {
    url = new URL(trimmed);
  } catch (cause) {
    throw invalid(`the gateway URL from ${source} is not a URL.`, cause);
  }
  if (url.protocol !== "ws:" && url.protocol !== "wss:") {
    throw invalid(
      `the gateway URL from ${source} begins with ${url.protocol}//; only ws:// and wss:// are understood.`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw invalid(`the gateway URL from ${source} holds a user name or password.`);
  }
  // It would be shown wherever the URL is, and a Gateway takes none from there.
  const parameter = queryCredential(trimmed);
  if (parameter !== undefined) {
    throw invalid(`the gateway URL from ${source} holds a credential, in "${parameter}".`);
  }
  url.hash = "";
  // URL drops a port that is the scheme's own, so an explicit ":80" shows only in the text.
  const hasPort = /^wss?:[\\/]*[^\\/?#]*:\d+(?=[\\/?#]|$)/iu.test(trimmed);
  const isBare = url.protocol === "ws:" && url.port === "";
  const port = isBare ? `:${hasPort ? 80 : DEFAULT_PORT}` : "";
  const path = url.pathname === "/" && url.search === "" ? "" : url.pathname;
  return `${url.protocol}//${url.host}${port}${path}${url.search}`;
}

/** Whether a host, as a URL has it, is this machine: `localhost`, 127.0.0.0/8 or `::1`. */
export function isLoopbackHost(hostname: string): boolean {
  const host = bareHost(hostname);
  if (host === "localhost" || host.endsWith(".localhost") || host === "::1") return true;
  return ipv4Of(host)?.[0] === 127;
}

/**
 * Whether plaintext `ws:` may go to this host: loopback, RFC 1918, link-local, 100.64.0.0/10, IPv6
 * unique local, `*.local` and `*.ts.net`. Anywhere else a stranger on the way could read the token.
 */
export function isPlaintextHost(hostname: string): boolean {
  if (isLoopbackHost(hostname)) return true;
  const host = bareHost(hostname);
  if (host.endsWith(".local") || host.endsWith(".ts.net")) return true;
  if (/^(?:fe[89ab][0-9a-f]|f[cd][0-9a-f]{2}):/u.test(host)) return true;
  const [first = -1, second = -1] = ipv4Of(host) ?? [];
  return (
    first === 10 ||
    (first === 172 && second >= 16 && second <= 31) ||
    (first === 192 && second === 168) ||
    (first === 169 && second === 254) ||
    (first === 100 && second >= 64 && second <= 127)
  );
}

function bareHost(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[|\]$/gu, "")
    .replace(/\.$/u, "");
}

/** The first two octets of an IPv4 address, also of one written as `::ffff:7f00:1`. */
function ipv4Of(host: string): readonly [number, number] | undefined {
  const mapped = /^::ffff:([0-9a-f]{1,4}):[0-9a-f]{1,4}$/u.exec(host)?.[1];
  if (mapped !== undefined) {
    const high = Number.parseInt(mapped, 16);
    return [high >> 8, high & 0xff];
  }
  const plain = /^(\d{1,3})\.(\d{1,3})\.\d{1,3}\.\d{1,3}$/u.exec(host);
  return plain === null ? undefined : [Number(plain[1]), Number(plain[2])];
}

function invalid(message: string, cause?: unknown): ConfigError {
  return new ConfigError("INVALID_URL", message, {
    hint: "Write it as ws://127.0.0.1:18789 or wss://gateway.example; credentials go into --token or --password.",
    ...(cause === undefined ? {} : { cause }),
  });
}
