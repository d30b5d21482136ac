import type { SshTestRig } from "@openclaw/testkit";

/** What `me@box` stands for here. */
export interface Box {
  readonly rig: Pick<SshTestRig, "target" | "identity" | "knownHosts">;
  /** Port of its Gateway. */
  readonly port: number;
  /** Path of `openclaw` on it. */
  readonly openclaw: string;
}

/**
 * A command of a page as it has to be typed here: `me@box` is an SSH server of the test, on a port of
 * its own, and its files are named one by one, since ssh would look for them in the home directory of
 * the account. Local ports are any free ones, and what is pasted is the token.
 */
export function typedHere(command: string, box: Box): string {
  const { rig, port } = box;
  const typed = command
    .replace("<token>", "T")
    .replace("ssh://me@box", `ssh://${rig.target}/${port}`)
    .replace("me@box", rig.target)
    .replaceAll(/-L \d+:([\d.]+):\d+/g, `-L 0:$1:${port}`);
  const flags = flagsFor(command, box).join(" ");
  const [words = "", ...program] = typed.split(" -- ");
  const asTyped = [`${words} ${flags}`, ...program].join(" -- ");
  return command.endsWith("-file -") ? `echo T | ${asTyped}` : asTyped;
}

function flagsFor(command: string, { rig, port, openclaw }: Box): readonly string[] {
  const { identity, knownHosts } = rig;
  const remotePort = ["--remote-port", String(port)];
  if (command.includes(" tunnel open")) {
    return ["--identity", identity, "--known-hosts", knownHosts, "--fallback-port"];
  }
  if (command.includes(" tunnel ")) return [];
  if (command.includes(" remote set")) return ["--identity", identity, ...remotePort];
  const files = ["--ssh-identity", identity, "--ssh-known-hosts", knownHosts];
  if (command.includes(" remote test")) return [...files, "--cli-path", openclaw];
  return command.includes(" node run") ? [...files, ...remotePort] : files;
}
