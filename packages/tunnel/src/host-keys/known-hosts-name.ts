import type { SshSettings } from "../settings/ssh-settings.ts";

const SSH_PORT = 22;

/** The names under which one host is looked up in known_hosts, in lower case. */
export interface KnownHostsName {
  /** HostKeyAlias as it is, else the host, on another port than 22 as `[host]:port`. */
  readonly display: string;
  /**
   * The bare host, where `display` has its port: OpenSSH takes a key that it knows under that name
   * too. Undefined for port 22 and for an alias.
   */
  readonly withoutPort: string | undefined;
  /** What a host certificate has to list: never with a port. */
  readonly principal: string;
}

/** Under which names a host's keys are known. */
export function knownHostsName({
  hostName,
  port,
  hostKeyAlias,
}: Pick<SshSettings, "hostName" | "port" | "hostKeyAlias">): KnownHostsName {
  const bare = asciiLowerCase(hostKeyAlias ?? hostName);
  if (hostKeyAlias !== undefined || port === SSH_PORT) {
    return { display: bare, withoutPort: undefined, principal: bare };
  }
  return { display: `[${bare}]:${port}`, withoutPort: bare, principal: bare };
}

/** Whether a line of known_hosts with this name would mean this host and nothing else. */
export function isRecordableName(name: string): boolean {
  const bare = /^\[([^\]]+)\]:\d{1,5}$/u.exec(name)?.[1] ?? name;
  return bare !== "" && !/[\s\p{C}@?*#[\]|'"\\!,]/u.test(bare);
}

/** Like OpenSSH, which knows upper case in ASCII only. */
export function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]+/gu, (letters) => letters.toLowerCase());
}
