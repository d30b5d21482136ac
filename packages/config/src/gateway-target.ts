import { ConfigError } from "./config-error.ts";
import { isEnvSwitchOn, readEnv, type Env } from "./env.ts";
import { resolveGatewayPort } from "./gateway-port.ts";
import {
  readGatewayAddress,
  readSshAddress,
  sshGatewayAddress,
  type SshHostKeyPolicy,
  type SshRoute,
} from "./gateway-address.ts";
import { isLoopbackHost, isPlaintextHost, normalizeGatewayUrl } from "./gateway-url.ts";
import { textAt, valueAt } from "./json.ts";
import { parseSshAddress, SSH_ADDRESS_FORMS, type SshAddress } from "./ssh-address.ts";
import { unresolvedAt, type UnresolvedReference } from "./substitute.ts";
import { withConfiguredPins, withGivenPins } from "./target-pins.ts";

/** Where the URL of a Gateway came from; the credentials that go with it follow from this. */
export type GatewayTargetKind = "url-flag" | "port-flag" | "env-url" | "remote" | "local";

/** The Gateway to talk to. */
export interface GatewayTarget {
  /** With `via` it is what the far side calls the Gateway, most often ws://127.0.0.1:18789. */
  url: string;
  /** The SSH connection that leads there; absent where the URL is dialled as it is. */
  via?: SshRoute;
  /** What device tokens are kept under, with `via`; otherwise the client goes by the URL. */
  endpointKey?: string;
  kind: GatewayTargetKind;
  /** For people and for JSON output, e.g. `config gateway.remote.url` or `local loopback`. */
  urlSource: string;
  /**
   * The one or two certificates or keys to accept there: those of the flag, else those that the config
   * pins for its remote Gateway. A pin never goes to another URL.
   */
  tlsFingerprint?: readonly string[];
  /** Something the user should know about the choice. */
  warning?: string;
}

/** Options of {@link resolveGatewayTarget}. */
export interface GatewayTargetOptions {
  flags?: {
    /** `--url` */
    url?: string | undefined;
    /** `--port`, as typed. */
    port?: number | string | undefined;
    /** `--tls-fingerprint`, once or twice. */
    tlsFingerprint?: readonly string[] | undefined;
  };
  env: Env;
  /** Config of any reader; values of the wrong type count as unset. */
  config: object;
  /** Variables without a value, as the reader reported them. */
  unresolved?: readonly UnresolvedReference[];
  /** For messages. */
  configPath?: string;
  /** IPv4 address of this machine in its tailnet, used when `gateway.bind` is `tailnet`. */
  tailnetAddress?: string | undefined;
  /**
   * Whether remote mode without a URL goes to the local Gateway, with a label that says so, as
   * diagnostics do. @default false
   */
  fallBackToLocal?: boolean;
}

const REMOTE_URL_SOURCE = "config gateway.remote.url";

/** Label of the fallback that diagnostics take in remote mode without a URL. */
export const MISSING_REMOTE_URL_SOURCE = "missing gateway.remote.url (fallback local)";

/**
 * Which Gateway a command talks to: `--url`, `--port`, `OPENCLAW_GATEWAY_URL`,
 * `gateway.remote.url` or `gateway.remote.sshTarget` in remote mode, else the Gateway of this
 * machine. Each of the three URLs may be an SSH address; `via` then says which tunnel to open.
 *
 * @throws {@link ConfigError} `URL_AND_PORT`, `INVALID_URL`, `INVALID_SSH_TARGET`, `INVALID_PORT`,
 * `REMOTE_URL_MISSING`, `INSECURE_URL`, `INVALID_TLS_PIN`. All of them before anything is sent.
 */
export function resolveGatewayTarget(options: GatewayTargetOptions): GatewayTarget {
  const target = chooseTarget(options);
  refuseInsecureTarget(target, options);
  return withGivenPins(target, options.flags?.tlsFingerprint ?? []);
}

function chooseTarget(options: GatewayTargetOptions): GatewayTarget {
  const { flags = {}, env, config } = options;
  if (flags.url !== undefined && flags.port !== undefined) {
    throw new ConfigError("URL_AND_PORT", "--url and --port cannot be combined.", {
      hint: "--port means the Gateway of this machine; put the port into --url otherwise.",
    });
  }
  if (flags.url !== undefined) return given(flags.url, "url-flag", "cli --url");
  if (flags.port !== undefined) {
    const { port } = resolveGatewayPort({ flag: flags.port, env, config });
    const url = `${localScheme(config)}://127.0.0.1:${port}`;
    return { url, kind: "port-flag", urlSource: "cli --port" };
  }
  const variable = readEnv(env, "OPENCLAW_GATEWAY_URL");
  if (variable !== undefined) return given(variable.value, "env-url", `env ${variable.name}`);
  if (valueAt(config, "gateway.mode") !== "remote") return localTarget(options);
  return remoteTarget(options);
}

function given(text: string, kind: GatewayTargetKind, urlSource: string): GatewayTarget {
  return { ...readGatewayAddress(text, urlSource), kind, urlSource };
}

/**
 * The remote Gateway of the config. An SSH address in `url` always leads through a tunnel;
 * `sshTarget` does so when `transport` asks for it, or when there is no URL. A URL of this machine
 * alone means that the user runs a tunnel, and none is opened behind his back.
 */
function remoteTarget(options: GatewayTargetOptions): GatewayTarget {
  const { config, unresolved } = options;
  const text = textAt(config, "gateway.remote.url");
  const sshTarget = textAt(config, "gateway.remote.sshTarget");
  const transport = valueAt(config, "gateway.remote.transport");
  if (unresolvedAt(unresolved, "gateway.remote.url")) return withoutRemoteUrl(options);

  const ssh = text === undefined ? undefined : readSshAddress(text, REMOTE_URL_SOURCE);
  if (ssh !== undefined) {
    const target = throughSsh(ssh, ssh.remotePort, REMOTE_URL_SOURCE, options);
    const unused = transport === "direct" ? "transport" : "sshTarget";
    if (transport !== "direct" && sshTarget === undefined) return target;
    const warning = `gateway.remote.${unused} is not used: gateway.remote.url is an SSH address.`;
    return { ...target, warning };
  }
  const url = text === undefined ? undefined : normalizeGatewayUrl(text, REMOTE_URL_SOURCE);
  if (transport === "ssh" || url === undefined) {
    if (unresolvedAt(unresolved, "gateway.remote.sshTarget")) return withoutRemoteUrl(options);
    if (sshTarget !== undefined) return throughSshTarget(sshTarget, url, options);
  }
  if (url === undefined) return withoutRemoteUrl(options);
  return withConfiguredPins(
    { url, kind: "remote", urlSource: REMOTE_URL_SOURCE },
    config,
    unresolved,
  );
}

function throughSshTarget(
  sshTarget: string,
  url: string | undefined,
  options: GatewayTargetOptions,
): GatewayTarget {
  const parsed = parseSshAddress(sshTarget);
  if (!parsed.ok) {
    throw new ConfigError("INVALID_SSH_TARGET", `gateway.remote.sshTarget ${parsed.fault}.`, {
      hint: `Write it as ${SSH_ADDRESS_FORMS}${inFile(options)}.`,
    });
  }
  const named = url === undefined ? undefined : new URL(url);
  const isElsewhere = named !== undefined && !isLoopbackHost(named.hostname);
  // A URL of this machine names the near end of somebody's tunnel, which says nothing of the far end.
  const urlPort = isElsewhere
    ? Number(named.port || (named.protocol === "wss:" ? 443 : 80))
    : undefined;
  const remotePort = parsed.address.remotePort ?? remotePortOf(options) ?? urlPort;
  const target = throughSsh(
    parsed.address,
    remotePort ?? resolveGatewayPort(options).port,
    "config gateway.remote.sshTarget",
    options,
  );
  if (named === undefined) return target;
  // TLS is checked against the name in the certificate, which a tunnel does not change.
  const isByName = isElsewhere && named.protocol === "wss:";
  const host = isByName ? named.hostname : "127.0.0.1";
  const text = `${named.protocol}//${host}:${target.via?.remotePort}${named.pathname}${named.search}`;
  const there = { ...target, url: normalizeGatewayUrl(text, REMOTE_URL_SOURCE) };
  return withConfiguredPins(there, options.config, options.unresolved);
}

function throughSsh(
  ssh: SshAddress,
  remotePort: number | undefined,
  urlSource: string,
  options: GatewayTargetOptions,
): GatewayTarget {
  return {
    ...sshGatewayAddress(ssh, {
      remotePort: remotePort ?? remotePortOf(options),
      identity: textAt(options.config, "gateway.remote.sshIdentity"),
      hostKeyPolicy: hostKeyPolicyOf(options),
    }),
    kind: "remote",
    urlSource,
  };
}

function remotePortOf({ config }: GatewayTargetOptions): number | undefined {
  const port = valueAt(config, "gateway.remote.remotePort");
  return typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65_535
    ? port
    : undefined;
}

function hostKeyPolicyOf({ config }: GatewayTargetOptions): SshHostKeyPolicy {
  const policy = textAt(config, "gateway.remote.sshHostKeyPolicy");
  return policy === "openssh" || policy === "accept-new" ? policy : "strict";
}

/** A Gateway of this machine speaks TLS on every port, or on none. */
function localScheme(config: object): "ws" | "wss" {
  return valueAt(config, "gateway.tls.enabled") === true ? "wss" : "ws";
}

function localTarget({ env, config, tailnetAddress }: GatewayTargetOptions): GatewayTarget {
  const scheme = localScheme(config);
  const { port } = resolveGatewayPort({ env, config });
  if (valueAt(config, "gateway.bind") === "tailnet" && tailnetAddress !== undefined) {
    const urlSource = `local tailnet ${tailnetAddress}`;
    return { url: `${scheme}://${tailnetAddress}:${port}`, kind: "local", urlSource };
  }
  return { url: `${scheme}://127.0.0.1:${port}`, kind: "local", urlSource: "local loopback" };
}

function withoutRemoteUrl(options: GatewayTargetOptions): GatewayTarget {
  const reference = ["gateway.remote.url", "gateway.remote.sshTarget"]
    .map((path) => unresolvedAt(options.unresolved, path))
    .find((found) => found !== undefined);
  const reason =
    reference === undefined
      ? "gateway.mode is remote, and gateway.remote.url is missing"
      : `gateway.mode is remote, and ${reference.path} refers to \${${reference.name}}, which is not set`;
  const warning = `${reason} (${options.configPath ?? "config"}).`;
  if (options.fallBackToLocal === true) {
    return { ...localTarget(options), urlSource: MISSING_REMOTE_URL_SOURCE, warning };
  }
  throw new ConfigError("REMOTE_URL_MISSING", warning, {
    hint:
      "Set gateway.remote.url, to ws://… or ssh://user@host, or set gateway.mode to local to use " +
      "the Gateway of this machine.",
  });
}

function inFile({ configPath }: GatewayTargetOptions): string {
  return configPath === undefined ? "" : ` in ${configPath}`;
}

/**
 * Refuses plaintext to where strangers could listen, for whoever chooses a target by other means.
 *
 * @throws {@link ConfigError} `INSECURE_URL`
 */
export function refuseInsecureTarget(
  target: Pick<GatewayTarget, "url" | "urlSource"> & { readonly via?: unknown },
  { env, configPath }: Pick<GatewayTargetOptions, "env" | "configPath">,
): void {
  // Through SSH the bytes do not cross the network in the clear.
  if (target.via !== undefined) return;
  const { protocol, hostname, host, pathname } = new URL(target.url);
  if (protocol !== "ws:" || isPlaintextHost(hostname)) return;
  if (isEnvSwitchOn(env, "OPENCLAW_ALLOW_INSECURE_PRIVATE_WS")) return;
  const where = configPath === undefined ? "" : `, config ${configPath}`;
  throw new ConfigError(
    "INSECURE_URL",
    `refusing to send credentials in plaintext to ws://${host}${pathname} (from ${target.urlSource}${where}).`,
    {
      hint:
        `Use wss://${host}, or an SSH tunnel (ssh://user@${hostname}), or the host's Tailscale name. ` +
        "OPENCLAW_ALLOW_INSECURE_PRIVATE_WS=1 overrides this for a network you trust.",
    },
  );
}
