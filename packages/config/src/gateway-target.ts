import { ConfigError } from "./config-error.ts";
import { isEnvSwitchOn, readEnv, type Env } from "./env.ts";
import { resolveGatewayPort } from "./gateway-port.ts";
import { isPlaintextHost, normalizeGatewayUrl } from "./gateway-url.ts";
import { textAt, valueAt } from "./json.ts";
import { unresolvedAt, type UnresolvedReference } from "./substitute.ts";

/** Where the URL of a Gateway came from; the credentials that go with it follow from this. */
export type GatewayTargetKind = "url-flag" | "port-flag" | "env-url" | "remote" | "local";

/** The Gateway to talk to. */
export interface GatewayTarget {
  url: string;
  kind: GatewayTargetKind;
  /** For people and for JSON output, e.g. `config gateway.remote.url` or `local loopback`. */
  urlSource: string;
  /** The certificate that the config pins for its remote Gateway; a pin never goes to another URL. */
  tlsFingerprint?: string;
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

/** Label of the fallback that diagnostics take in remote mode without a URL. */
export const MISSING_REMOTE_URL_SOURCE = "missing gateway.remote.url (fallback local)";

/**
 * Which Gateway a command talks to: `--url`, `--port`, `OPENCLAW_GATEWAY_URL`,
 * `gateway.remote.url` in remote mode, else the Gateway of this machine.
 *
 * @throws {@link ConfigError} `URL_AND_PORT`, `INVALID_URL`, `INVALID_PORT`, `REMOTE_URL_MISSING`,
 * `INSECURE_URL`. All of them before anything is sent.
 */
export function resolveGatewayTarget(options: GatewayTargetOptions): GatewayTarget {
  const target = chooseTarget(options);
  refuseInsecure(target, options);
  return target;
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
    return { url: `ws://127.0.0.1:${port}`, kind: "port-flag", urlSource: "cli --port" };
  }
  const variable = readEnv(env, "OPENCLAW_GATEWAY_URL");
  if (variable !== undefined) return given(variable.value, "env-url", `env ${variable.name}`);
  if (valueAt(config, "gateway.mode") !== "remote") return localTarget(options);
  const remoteUrl = textAt(config, "gateway.remote.url");
  if (remoteUrl === undefined) return withoutRemoteUrl(options);
  const tlsFingerprint = textAt(config, "gateway.remote.tlsFingerprint");
  return {
    ...given(remoteUrl, "remote", "config gateway.remote.url"),
    ...(tlsFingerprint === undefined ? {} : { tlsFingerprint }),
  };
}

function given(url: string, kind: GatewayTargetKind, urlSource: string): GatewayTarget {
  return { url: normalizeGatewayUrl(url, urlSource), kind, urlSource };
}

function localTarget({ env, config, tailnetAddress }: GatewayTargetOptions): GatewayTarget {
  const scheme = valueAt(config, "gateway.tls.enabled") === true ? "wss" : "ws";
  const { port } = resolveGatewayPort({ env, config });
  if (valueAt(config, "gateway.bind") === "tailnet" && tailnetAddress !== undefined) {
    const urlSource = `local tailnet ${tailnetAddress}`;
    return { url: `${scheme}://${tailnetAddress}:${port}`, kind: "local", urlSource };
  }
  return { url: `${scheme}://127.0.0.1:${port}`, kind: "local", urlSource: "local loopback" };
}

function withoutRemoteUrl(options: GatewayTargetOptions): GatewayTarget {
  const reference = unresolvedAt(options.unresolved, "gateway.remote.url");
  const reason =
    reference === undefined
      ? "gateway.mode is remote, and gateway.remote.url is missing"
      : `gateway.mode is remote, and gateway.remote.url refers to \${${reference.name}}, which is not set`;
  const warning = `${reason} (${options.configPath ?? "config"}).`;
  if (options.fallBackToLocal === true) {
    return { ...localTarget(options), urlSource: MISSING_REMOTE_URL_SOURCE, warning };
  }
  throw new ConfigError("REMOTE_URL_MISSING", warning, {
    hint: "Set gateway.remote.url, or set gateway.mode to local to use the Gateway of this machine.",
  });
}

function refuseInsecure(target: GatewayTarget, { env, configPath }: GatewayTargetOptions): void {
  const { protocol, hostname, host, pathname } = new URL(target.url);
  if (protocol !== "ws:" || isPlaintextHost(hostname)) return;
  if (isEnvSwitchOn(env, "OPENCLAW_ALLOW_INSECURE_PRIVATE_WS")) return;
  const where = configPath === undefined ? "" : `, config ${configPath}`;
  throw new ConfigError(
    "INSECURE_URL",
    `refusing to send credentials in plaintext to ws://${host}${pathname} (from ${target.urlSource}${where}).`,
    {
      hint: `Use wss://${host}, or an SSH tunnel and ws://127.0.0.1:<local port>, or the host's Tailscale name.`,
    },
  );
}
