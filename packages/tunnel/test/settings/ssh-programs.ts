import { chmod, readFile, writeFile } from "node:fs/promises";
import type { TemporaryDirectory } from "@openclaw/testkit";

/** A program that stands for ssh and keeps a list of its calls. */
export interface StandIn {
  readonly path: string;
  /** The arguments of each call. */
  calls(): Promise<readonly string[]>;
}

/** Passes every call on to the ssh of this machine. */
export async function countingSsh(directory: TemporaryDirectory, ssh: string): Promise<StandIn> {
  return standIn(directory, `exec ${ssh} "$@"`);
}

/** A program that does what a few lines of shell say. */
export async function standIn(directory: TemporaryDirectory, script: string): Promise<StandIn> {
  const path = directory.file("ssh");
  const log = directory.file("calls");
  await writeFile(log, "");
  await writeFile(path, `#!/bin/sh\nprintf '%s\\n' "$*" >>'${log}'\n${script}\n`);
  await chmod(path, 0o755);
  return {
    path,
    calls: async () => (await readFile(log, "utf8")).split("\n").filter((line) => line !== ""),
  };
}
