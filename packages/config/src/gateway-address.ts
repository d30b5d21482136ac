import { isIP } from "node:net";
import { ConfigError } from "./config-error.ts";
import { DEFAULT_PORT } from "./gateway-port.ts";
import { isLoopbackHost, normalizeGatewayUrl } from "./gateway-url.ts";
import { DEV_GATEWAY_PORT } from "./profiles.ts";
import {
  formatSshAddress,
  hasSshScheme,
  parseSshAddress,
  SSH_ADDRESS_FORMS,
  sshEndpointKey,
  type SshAddress,
} from "./ssh-address.ts";

/** How strict an unknown SSH host key is taken. */
export type SshHostKeyPolicy = "strict" | "openssh" | "accept-new";

/** The way to a Gateway that listens on the far side of an SSH connection. */
export interface SshRoute {
  readonly kind: "ssh";
  /** `[user@]host[:port]`, as tunnels read it; without a port where none was named. */
  readonly target: string;
  /** Private key file, as it is written: `~` is not expanded yet. */
  readonly identity?: string;
  /** Port of the Gateway on the far side's 127.0.0.1. */
  readonly remotePort: number;
  readonly hostKeyPolicy: SshHostKeyPolicy;
}

/** Where a Gateway is. */
export interface GatewayAddress {
  /** `ws:` or `wss:`; with `via`, as seen from the far side. */
  readonly url: string;
  /** The tunnel to open first; absent where the URL is dialled as it is. */
  readonly via?: SshRoute;
  /**
   * What device tokens are kept under, where the URL alone does not tell one Gateway from another;
   * the client takes it as its option of the same name.
   */
  readonly endpointKey?: string;
}

/** A scheme, also one that is written without the slashes where a URL may be. */
const OTHER_SCHEME = /^(?:(?:ws|http)s?:|[a-z][a-z0-9+.-]*:[\\/])/iu;
/** Ports on which Gateways of one host are put, twenty apart. */
const GATEWAY_PORTS = [DEFAULT_PORT, DEFAULT_PORT + 100] as const;
/** Ports of the web: a name with one of them, and without a user, is a Gateway without its scheme. */
const WEB_PORTS: ReadonlySet<number> = new Set([80, 443, 8080, 8443]);

/**
 * Reads what is accepted wherever the URL of a Gateway is: `ws://…`, `wss://…`,
 * `ssh://[user@]host[:port][/remoteport]`, and without a scheme an SSH target or an alias of
 * ssh_config. A text that rather looks like a Gateway whose scheme was forgotten, such as
 * `localhost:18789` or `10.0.0.5`, is refused with both ways to write it.
 *
 * @param source where the text came from, for the message.
 * @throws {@link ConfigError} `INVALID_URL`
 */
export function readGatewayAddress(text: string, source: string): GatewayAddress {
  const ssh = readSshAddress(text, source);
  return ssh === undefined
    ? { url: normalizeGatewayUrl(text, source) }
    : sshGatewayAddress(ssh, {});
}

/**
 * The SSH address that stands where a Gateway URL is expected; undefined for a text that is to be
 * read as a URL of another scheme.
 *
 * @throws {@link ConfigError} `INVALID_URL`
 */
export function readSshAddress(text: string, source: string): SshAddress | undefined {
  const trimmed = text.trim();
  const isUrl = hasSshScheme(trimmed);
  if (!isUrl && (trimmed === "" || OTHER_SCHEME.test(trimmed))) return undefined;
  const parsed = parseSshAddress(trimmed);
  if (!parsed.ok) {
    throw new ConfigError("INVALID_URL", `the gateway URL from ${source} ${parsed.fault}.`, {
      hint: `Write it as ws://127.0.0.1:18789 or wss://gateway.example; behind SSH as ${SSH_ADDRESS_FORMS}.`,
    });
  }
  if (!isUrl) refuseForgottenScheme(parsed.address, source);
  return parsed.address;
}

/** Whether {@link readGatewayAddress} takes a text; a `ws:` URL is checked for its scheme alone. */
export function isGatewayAddress(text: string): boolean {
  if (/^\s*wss?:\/\//iu.test(text)) return true;
  try {
    return readSshAddress(text, "config") !== undefined;
  } catch {
    return false;
  }
}

export interface SshGatewayOptions {
  /** @default the address's own, else 18789 */
  readonly remotePort?: number | undefined;
  readonly identity?: string | undefined;
  /** @default "strict" */
  readonly hostKeyPolicy?: SshHostKeyPolicy | undefined;
  /** What the Gateway calls itself over there. @default ws://127.0.0.1 on the remote port */
  readonly url?: string | undefined;
}

/** The Gateway behind an SSH address. */
export function sshGatewayAddress(ssh: SshAddress, options: SshGatewayOptions): GatewayAddress {
  const { identity, hostKeyPolicy = "strict" } = options;
  const remotePort = options.remotePort ?? ssh.remotePort ?? DEFAULT_PORT;
  return {
    url: options.url ?? `ws://127.0.0.1:${remotePort}`,
    via: {
      kind: "ssh",
      target: formatSshAddress(ssh),
      ...(identity === undefined ? {} : { identity }),
      remotePort,
      hostKeyPolicy,
    },
    endpointKey: sshEndpointKey(ssh, remotePort),
  };
}

function refuseForgottenScheme(address: SshAddress, source: string): void {
  const { user, host, port } = address;
  const isGatewayPort =
    port !== undefined &&
    ((port >= GATEWAY_PORTS[0] && port < GATEWAY_PORTS[1]) || port === DEV_GATEWAY_PORT);
  // With a user it can only be SSH; the port after the colon is then that of sshd.
  const looksLikeUrl =
    user === undefined &&
    (isLoopbackHost(host) ||
      (isIP(host) !== 0 && port !== 22) ||
      (port !== undefined && WEB_PORTS.has(port)));
  if (!isGatewayPort && !looksLikeUrl) return;
  const name = host.includes(":") ? `[${host}]` : host;
  const there = isGatewayPort ? `/${port}` : port === undefined ? "" : `:${port}`;
  const login = user === undefined ? "" : `${user}@`;
  throw new ConfigError("INVALID_URL", `the gateway URL from ${source} has no scheme.`, {
    hint:
      `Write ws://${name}:${port ?? DEFAULT_PORT} for a Gateway that is reached directly, ` +
      `or ssh://${login}${name}${there} for one behind SSH.`,
  });
}
