import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import type { Duplex } from "node:stream";
import type { SshTestRig } from "@openclaw/testkit";
import type { Tunnel, TunnelOptions } from "../../src/index.ts";

/** Of what a rig has, what it takes to write an ssh_config. */
type ConfiguredRig = Pick<SshTestRig, "home" | "env" | "identity" | "knownHosts"> & {
  readonly server: Pick<SshTestRig["server"], "host" | "port" | "user">;
};

/** Files of nobody else are read, and pauses between attempts are short. */
const UNDISTURBED = ["GlobalKnownHostsFile /dev/null", "IdentityAgent none"] as const;

/**
 * Writes the lines as the user's ssh_config, in front of what keeps the account's own files out.
 *
 * @returns the options that read it
 */
export async function withConfig(
  rig: Pick<ConfiguredRig, "home" | "env">,
  lines: readonly string[],
  options: TunnelOptions = {},
): Promise<TunnelOptions> {
  const sshConfig = `${rig.home}/.ssh/config`;
  const all = [...lines, "Match all", ...UNDISTURBED.map((line) => `  ${line}`)];
  await writeFile(sshConfig, `${all.join("\n")}\n`, { mode: 0o600 });
  return { sshConfig, env: rig.env, backoff: { baseMs: 20, maxMs: 200 }, ...options };
}

/** The lines under which the server of a rig is an alias, with its known_hosts and without a key. */
export function hostLines(alias: string, { server, knownHosts }: ConfiguredRig): string[] {
  return [
    `Host ${alias}`,
    `  HostName ${server.host}`,
    `  Port ${server.port}`,
    `  User ${server.user}`,
    `  UserKnownHostsFile ${knownHosts}`,
  ];
}

/** The same with the key of the rig, and no other. */
export function keyedHostLines(alias: string, rig: ConfiguredRig): string[] {
  return [...hostLines(alias, rig), `  IdentityFile ${rig.identity}`, "  IdentitiesOnly yes"];
}

/** What comes back for a word that was sent to an echo server through a tunnel. */
export async function echoThrough(tunnel: Tunnel, port: number, word = "hello"): Promise<string> {
  const stream = await tunnel.connect({ port });
  const answer = await echoed(stream, word);
  stream.destroy();
  return answer;
}

/** What comes back first for a word on an open stream. */
export async function echoed(stream: Duplex, word: string): Promise<string> {
  stream.write(word);
  const [data] = (await once(stream, "data")) as [Buffer];
  return data.toString();
}
