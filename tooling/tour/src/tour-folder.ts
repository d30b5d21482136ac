import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The folder of one tour: everything that its processes write, and what a terminal beside it needs. */
export interface TourFolder {
  readonly path: string;
  /** The secret of this tour's Gateway, also in a file of mode 0600. */
  readonly token: string;
  /** State directory of one of the processes. */
  state(name: "gateway" | "node" | "operator"): string;
  /** Home and working directory of all of them. */
  readonly home: string;
  /** Writes the file that sets up a shell; returns its path. */
  writeShellFile(gateway: { port: number }): string;
  /** Removes the folder with all that is in it. */
  remove(): void;
}

export interface TourFolderOptions {
  /** Where the folders of tours are, such as `.cache/tour`. */
  base: string;
  pid: number;
  platform: NodeJS.Platform;
  /** What `openclaw` stands for in the shell: a program and its first arguments. */
  command: readonly string[];
  isAlive: (pid: number) => boolean;
}

/** Creates the folder, and removes those of tours that were killed. */
export function createTourFolder(options: TourFolderOptions): TourFolder {
  const { base, pid, platform, command } = options;
  mkdirSync(base, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(base)) {
    const owner = Number(/^run-(\d+)$/u.exec(name)?.[1]);
    if (owner > 0 && (owner === pid || !options.isAlive(owner))) {
      rmSync(join(base, name), { recursive: true, force: true });
    }
  }

  const path = join(base, `run-${pid}`);
  const home = join(path, "home");
  const bin = join(path, "bin");
  const tokenFile = join(path, "token");
  for (const folder of [path, home, bin]) mkdirSync(folder, { mode: 0o700 });
  const token = randomBytes(24).toString("base64url");
  writeFileSync(tokenFile, token, { mode: 0o600 });

  const state = (name: string): string => join(path, name);
  return {
    path,
    token,
    home,
    state,
    writeShellFile({ port }) {
      const variables = {
        OPENCLAW_STATE_DIR: state("operator"),
        OPENCLAW_GATEWAY_PORT: String(port),
      };
      if (platform === "win32") {
        writeFileSync(
          join(bin, "openclaw.cmd"),
          `@echo off\r\n${command.map(quoteCmd).join(" ")} %*\r\n`,
        );
        const file = join(path, "env.ps1");
        writeFileSync(file, powerShellFile({ bin, tokenFile, variables }));
        return file;
      }
      const shim = join(bin, "openclaw");
      writeFileSync(shim, `#!/bin/sh\nexec ${command.map(quoteSh).join(" ")} "$@"\n`);
      chmodSync(shim, 0o755);
      const file = join(path, "env");
      writeFileSync(file, shellFile({ bin, tokenFile, variables }));
      return file;
    },
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}

interface ShellFile {
  bin: string;
  tokenFile: string;
  variables: Readonly<Record<string, string>>;
}

/** Variables that would lead the command line elsewhere. */
const UNSET = [
  "OPENCLAW_CONFIG_PATH",
  "OPENCLAW_GATEWAY_PASSWORD",
  "OPENCLAW_GATEWAY_URL",
  "OPENCLAW_PROFILE",
];

// The token is read from its file, so that this file may be shown to anyone.
function shellFile({ bin, tokenFile, variables }: ShellFile): string {
  return [
    `unset ${UNSET.join(" ")}`,
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${quoteSh(value)}`),
    `export OPENCLAW_GATEWAY_TOKEN="$(cat ${quoteSh(tokenFile)})"`,
    `export PATH=${quoteSh(bin)}:"$PATH"`,
    "",
  ].join("\n");
}

function powerShellFile({ bin, tokenFile, variables }: ShellFile): string {
  return [
    ...UNSET.map((name) => `Remove-Item Env:${name} -ErrorAction SilentlyContinue`),
    ...Object.entries(variables).map(([name, value]) => `$env:${name} = ${quotePs(value)}`),
    `$env:OPENCLAW_GATEWAY_TOKEN = Get-Content -Raw ${quotePs(tokenFile)}`,
    `$env:PATH = ${quotePs(bin)} + ";" + $env:PATH`,
    "",
  ].join("\r\n");
}

/** Quotes a word for a POSIX shell. */
export function quoteSh(word: string): string {
  return /^[\w./:=@%+-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function quotePs(word: string): string {
  return `'${word.replaceAll("'", "''")}'`;
}

function quoteCmd(word: string): string {
  return `"${word}"`;
}
