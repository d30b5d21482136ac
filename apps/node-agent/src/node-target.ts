import { findRunToken, portOf } from "@openclaw/app-kit";
import {
  ConfigError,
  type Credentials,
  DEFAULT_PORT,
  type GatewayTargetKind,
  isLoopbackHost,
  type LooseConfig,
  normalizeGatewayUrl,
  readGatewayAddress,
  readTlsPins,
  refuseInsecureTarget,
  resolveCredentials,
  resolveGatewayTarget,
  withGivenPins,
} from "@openclaw/config";
import type { SavedGateway } from "./node-file.ts";
import {
  type NodeRoute,
  parsePort,
  refuseDialFlags,
  refuseSshFlags,
  routeFlags,
  throughSsh,
} from "./ssh-target.ts";

/** Flags of `node run`, as typed. */
export interface NodeRunFlags {
  url?: string | undefined;
  host?: string | undefined;
  port?: string | undefined;
  /** `--tls` or `--no-tls`; undefined keeps what was kept. */
  tls?: boolean | undefined;
  /** `--tls-fingerprint`, once, or twice where the second is to follow the first. */
  tlsFingerprint?: readonly string[] | undefined;
  displayName?: string | undefined;
  nodeId?: string | undefined;
  token?: string | undefined;
  password?: string | undefined;
  /** A setup code: says where the Gateway is, and lets this node in once. */
  pair?: string | undefined;
  /** The only commands to serve, of those that there are. */
  commands?: readonly string[] | undefined;
  /** `[user@]host[:port]`: the Gateway is behind this SSH server. */
  ssh?: string | undefined;
  /** Port of the Gateway over there. */
  remotePort?: string | undefined;
  sshIdentity?: string | undefined;
  sshHostKey?: string | undefined;
  sshKnownHosts?: string | undefined;
  /** Records the key of a host that has none yet. Not kept: once is enough. */
  acceptNew?: boolean | undefined;
  verbose?: boolean | undefined;
}

/** The Gateway a node serves, and what to keep of it. */
export interface NodeTarget {
  readonly url: string;
  /** For messages. */
  readonly urlSource: string;
  readonly kind: GatewayTargetKind;
  /** The only certificates or keys to accept. */
  readonly tlsFingerprint?: readonly string[] | undefined;
  /** The SSH connection that leads there; the URL is then as seen from the far side. */
  readonly via?: NodeRoute | undefined;
  /** What device tokens are kept under, with `via`. */
  readonly endpointKey?: string | undefined;
  /** What to keep for the next run. */
  readonly save: SavedGateway;
}

export interface NodeTargetInput {
  flags: NodeRunFlags;
  saved: SavedGateway;
  loose: LooseConfig;
  configPath: string;
  /** Where relative paths of flags begin. */
  cwd: string;
}

const LOCAL_HOST = "127.0.0.1";

/**
 * Chooses the Gateway: `--ssh` or `--url`, then `--host` and `--port`, then what was kept, then the
 * config, then the Gateway of this machine.
 *
 * @throws {ConfigError} for an address that cannot be used
 */
export function chooseTarget(input: NodeTargetInput): NodeTarget {
  const { flags, loose, configPath } = input;
  const target = withGivenPins(chooseAddress(input), flags.tlsFingerprint ?? []);
  if (target.via === undefined) refuseSshFlags(flags, target);
  refuseInsecureTarget(target, { env: loose.env, configPath });
  return target;
}

function chooseAddress(input: NodeTargetInput): NodeTarget {
  const { flags, saved, loose, configPath } = input;
  if (flags.ssh !== undefined) {
    refuseDialFlags(flags);
    // What was kept of another server says nothing about this one.
    const kept = saved.ssh?.target === flags.ssh ? saved.ssh : undefined;
    return throughSsh({ ...kept, target: flags.ssh }, "cli --ssh", input);
  }
  if (flags.url !== undefined) {
    if (flags.host !== undefined || flags.port !== undefined) {
      throw new ConfigError("URL_AND_PORT", "--url cannot be combined with --host or --port.");
    }
    const address = readGatewayAddress(flags.url, "--url");
    if (address.via !== undefined) {
      const { target, remotePort } = address.via;
      return throughSsh({ target, remotePort }, "cli --url", input);
    }
    // Also on this machine: a URL may lead through a tunnel, to a Gateway that is another's.
    return { ...fromUrl(address.url, "cli --url", givenPins(flags)), kind: "url-flag" };
  }
  if (flags.host !== undefined || flags.port !== undefined) {
    const host = flags.host ?? saved.host ?? LOCAL_HOST;
    // What was kept of another host says nothing about this one.
    const kept = saved.host === host ? saved : {};
    const port = parsePort(flags.port) ?? kept.port ?? DEFAULT_PORT;
    // On another port there is another Gateway, or another's.
    const keptPin = port === (kept.port ?? DEFAULT_PORT) ? kept.tlsFingerprint : undefined;
    const tls = flags.tls ?? kept.tls ?? false;
    const given = givenPins(flags);
    // Said, since nobody who typed the command sees why it is TLS, or which pin is meant.
    const reused = [
      tls && flags.tls === undefined ? "TLS" : "",
      tls && given === undefined && keptPin !== undefined ? "pin" : "",
    ].filter((part) => part !== "");
    return fromParts(
      { host, port, tls, pins: given ?? keptPins(keptPin) },
      ["cli --host", ...(reused.length > 0 ? [`${reused.join(" and ")} of node.json`] : [])].join(
        ", ",
      ),
    );
  }
  if (saved.ssh !== undefined) return throughSsh(saved.ssh, "node.json", input);
  if (saved.host !== undefined) {
    return fromParts(
      {
        ...saved,
        host: saved.host,
        port: saved.port ?? DEFAULT_PORT,
        tls: flags.tls ?? saved.tls ?? false,
        pins: givenPins(flags) ?? keptPins(saved.tlsFingerprint),
      },
      "node.json",
    );
  }
  const target = resolveGatewayTarget({
    env: loose.env,
    config: loose.config,
    unresolved: loose.unresolved,
    configPath,
  });
  const url = flags.tls === true ? target.url.replace(/^ws:/, "wss:") : target.url;
  const { via, endpointKey } = target;
  return {
    url,
    urlSource: target.urlSource,
    kind: target.kind,
    tlsFingerprint: target.tlsFingerprint,
    // What the config says is asked again at the next start, and so is not frozen here.
    save: saved,
    ...(via === undefined ? {} : { via: { ...via, ...routeFlags(input) }, endpointKey }),
  };
}

/**
 * What a node presents: flags, then the environment, then what this machine's config has for it,
 * then what a Gateway of this machine left for its own, which it had started without a secret.
 */
export function chooseCredentials(
  flags: NodeRunFlags,
  target: NodeTarget,
  loose: LooseConfig,
  stateDir: string,
): Credentials {
  return resolveCredentials({
    flags: { token: flags.token, password: flags.password },
    env: loose.env,
    config: loose.config,
    unresolved: loose.unresolved,
    target,
    caller: "node",
    runToken:
      target.kind === "url-flag" || target.via !== undefined
        ? undefined
        : findRunToken(stateDir, target),
  });
}

interface Parts {
  host: string;
  port: number;
  tls: boolean;
  pins: readonly string[] | undefined;
  contextPath?: string | undefined;
}

function fromParts(parts: Parts, urlSource: string): NodeTarget {
  const { host, port, tls, contextPath = "" } = parts;
  const shown = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  const url = normalizeGatewayUrl(
    `${tls ? "wss" : "ws"}://${shown}:${port}${contextPath}`,
    urlSource,
  );
  return fromUrl(url, urlSource, parts.pins);
}

/**
 * The target that an address is, with the pins that hold for it.
 *
 * @throws {ConfigError}
 */
export function targetOfUrl(url: string, urlSource: string, pins: readonly string[]): NodeTarget {
  const known =
    pins.length === 0 || !url.startsWith("wss:") ? undefined : readTlsPins(pins, urlSource);
  return fromUrl(normalizeGatewayUrl(url, urlSource), urlSource, known);
}

function givenPins({ tlsFingerprint }: NodeRunFlags): readonly string[] | undefined {
  if (tlsFingerprint === undefined || tlsFingerprint.length === 0) return undefined;
  return readTlsPins(tlsFingerprint, "--tls-fingerprint");
}

function keptPins(kept: SavedGateway["tlsFingerprint"]): readonly string[] | undefined {
  return kept === undefined ? undefined : readTlsPins(kept, "the TLS pin in node.json");
}

function fromUrl(url: string, urlSource: string, pins: readonly string[] | undefined): NodeTarget {
  const { hostname, protocol, pathname } = new URL(url);
  const tls = protocol === "wss:";
  // Where there is no certificate to look at, one that was kept says nothing any more.
  const tlsFingerprint = tls ? pins : undefined;
  const [pin = ""] = tlsFingerprint ?? [];
  const host = hostname.replace(/^\[|\]$/g, "");
  return {
    url,
    urlSource,
    // On this machine the Gateway's own secret may be used; elsewhere only what was given for it.
    kind: isLoopbackHost(host) ? "local" : "url-flag",
    tlsFingerprint,
    save: {
      host,
      port: portOf(url),
      tls,
      ...(tlsFingerprint === undefined
        ? {}
        : { tlsFingerprint: tlsFingerprint.length === 1 ? pin : tlsFingerprint }),
      ...(pathname === "/" ? {} : { contextPath: pathname }),
    },
  };
}
