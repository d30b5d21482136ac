import { isGiven, isYes, valueOf, type EffectiveConfig } from "./effective-config.ts";
import { isSecurityKey } from "./security-key.ts";

/**
 * What only the system's ssh can do, each with its reason. What a tunnel does on no account, such as
 * forwarding the agent, is no reason for it: that is in {@link ignoredSettings}.
 */
export async function needsOfSystemSsh(
  config: EffectiveConfig,
  identityFiles: readonly string[],
): Promise<readonly string[]> {
  const needs = config.undecidedCriteria.map(
    (criterion) => `Match ${criterion} (it decides which settings apply)`,
  );
  const reasons: readonly (readonly [keyword: string, need: string])[] = [
    ["proxycommand", "ProxyCommand (a program carries the connection)"],
    ["pkcs11provider", "PKCS11Provider (the key is on a token or a smart card)"],
    ["knownhostscommand", "KnownHostsCommand (a program knows the host keys)"],
    ["revokedhostkeys", "RevokedHostKeys (a list of keys that have to be refused)"],
    ["bindinterface", "BindInterface (the connection leaves by one network interface)"],
  ];
  for (const [keyword, need] of reasons) if (isGiven(config, keyword)) needs.push(need);
  if (isGiven(config, "securitykeyprovider") && !isDefaultKeyProvider(config)) {
    needs.push("SecurityKeyProvider (a library talks to the security key)");
  }
  if (wantsGssapi(config)) needs.push("GSSAPIAuthentication (a Kerberos ticket signs in)");
  if (isYes(config, "hostbasedauthentication")) {
    needs.push("HostbasedAuthentication (the key of this machine signs in)");
  }
  // `ssh -G` has looked the name up already.
  if (config.source === "ssh-config" && /^(?:yes|true|always)$/iu.test(canonicalize(config))) {
    needs.push("CanonicalizeHostname (the name is completed by DNS)");
  }
  const areSecurityKeys = await Promise.all(identityFiles.map(isSecurityKey));
  for (const [index, file] of identityFiles.entries()) {
    if (areSecurityKeys[index]) needs.push(`IdentityFile ${file} (a security key signs in)`);
  }
  return needs;
}

/**
 * What is set and no engine of ours honours, by the name of ssh_config: what a tunnel leaves out on
 * purpose, and what changes nothing in a tunnel.
 */
export function ignoredSettings(config: EffectiveConfig): readonly string[] {
  const ignored: string[] = [];
  for (const [name, ...usual] of IGNORED) {
    const value = valueOf(config, name.toLowerCase());
    if (value !== undefined && !usual.includes(value.toLowerCase())) ignored.push(name);
  }
  const sent = config.values.get("sendenv")?.flatMap((names) => names.split(" ")) ?? [];
  if (sent.some((name) => !USUALLY_SENT.test(name))) ignored.push("SendEnv");
  if (isYes(config, "gssapiauthentication") && !wantsGssapi(config)) {
    ignored.push("GSSAPIAuthentication");
  }
  return ignored;
}

/** Distributions switch GSSAPIAuthentication on for everybody, which alone says nothing. */
function wantsGssapi(config: EffectiveConfig): boolean {
  const prefersIt = /^gssapi/iu.test(valueOf(config, "preferredauthentications") ?? "");
  return isYes(config, "gssapiauthentication") && (config.wantsGssapi || prefersIt);
}

function canonicalize(config: EffectiveConfig): string {
  return valueOf(config, "canonicalizehostname") ?? "no";
}

/** Builds of OpenSSH have one of these when nothing is set. */
function isDefaultKeyProvider(config: EffectiveConfig): boolean {
  const provider = valueOf(config, "securitykeyprovider") ?? "";
  return provider === "internal" || provider === "$SSH_SK_PROVIDER";
}

const NO = ["no", "false"];

/** What distributions send without being asked. */
const USUALLY_SENT = /^(?:LANG|LC_.*|COLORTERM|NO_COLOR)$/u;

/** Names, each followed by the values that mean nothing was asked for. */
const IGNORED: readonly (readonly [name: string, ...usual: string[]])[] = [
  ["AddKeysToAgent", ...NO],
  ["CheckHostIP", ...NO],
  ["Compression", ...NO],
  ["ConnectionAttempts", "1"],
  ["ControlMaster", ...NO],
  ["ControlPersist", ...NO],
  ["DynamicForward"],
  ["FingerprintHash", "sha256"],
  ["ForkAfterAuthentication", ...NO],
  ["ForwardAgent", ...NO],
  ["ForwardX11", ...NO],
  ["GatewayPorts", ...NO],
  ["KbdInteractiveDevices"],
  ["LocalCommand"],
  ["NoHostAuthenticationForLocalhost", ...NO],
  ["NumberOfPasswordPrompts", "3"],
  ["PermitLocalCommand", ...NO],
  ["ProxyUseFdpass", ...NO],
  ["RekeyLimit", "0 0", "default", "default none"],
  ["RemoteCommand", "none"],
  ["RemoteForward"],
  ["RequestTTY", "auto", ...NO],
  ["RequiredRSASize", "1024"],
  ["SessionType", "default", "none"],
  ["SetEnv"],
  ["StreamLocalBindUnlink", ...NO],
  ["TCPKeepAlive", "yes", "true"],
  ["Tunnel", ...NO],
  ["VerifyHostKeyDNS", ...NO],
  ["VisualHostKey", ...NO],
];
