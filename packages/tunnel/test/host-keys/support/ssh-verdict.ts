import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startProcess } from "@openclaw/testkit";

/** What ssh is asked. */
export interface SshQuestion {
  /** Where copies of known_hosts may lie. */
  readonly directory: string;
  readonly port: number;
  /** @default "127.0.0.1" */
  readonly host?: string;
  readonly knownHosts: string;
  readonly strictHostKeyChecking: string;
  readonly options?: readonly string[];
}

/** What ssh has decided about the host, and what it has added to known_hosts. */
export interface SshVerdict {
  readonly kind: "accept" | "accept-and-record" | "refuse";
  readonly added: string;
  /** Its debug output. */
  readonly log: string;
}

/**
 * Lets the system's ssh decide about a host key. It offers no way to log in: whether the server is
 * asked for one tells that the key was accepted.
 */
export async function sshVerdict(question: SshQuestion): Promise<SshVerdict> {
  const { directory, port, knownHosts, strictHostKeyChecking } = question;
  const { host = "127.0.0.1", options = [] } = question;
  const file = join(directory, `known_hosts_${randomUUID()}`);
  await writeFile(file, knownHosts);
  // The first word on a setting counts.
  const settings = [
    ...options,
    "BatchMode=yes",
    `StrictHostKeyChecking=${strictHostKeyChecking}`,
    `UserKnownHostsFile=${file}`,
    "GlobalKnownHostsFile=none",
    "PreferredAuthentications=none",
    "IdentityAgent=none",
    "UpdateHostKeys=no",
    // The default costs more than all the rest of a connection.
    "KexAlgorithms=curve25519-sha256",
  ].flatMap((setting) => ["-o", setting]);
  const args = [
    "-F",
    "none",
    "-vv",
    "-p",
    String(port),
    ...settings,
    "--",
    `nobody@${host}`,
    "true",
  ];
  await using ssh = startProcess("ssh", args);
  await ssh.exited;
  const log = ssh.stderr;
  const added = (await readFile(file, "utf8")).slice(knownHosts.length);
  const isAccepted = /Permission denied/u.test(log);
  if (!isAccepted && !/Host key verification failed/u.test(log)) {
    throw new Error(`ssh did not get as far as the host key: ${log}`);
  }
  if (!isAccepted) return { kind: "refuse", added, log };
  return { kind: added === "" ? "accept" : "accept-and-record", added, log };
}
