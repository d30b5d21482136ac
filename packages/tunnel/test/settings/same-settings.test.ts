import { mkdir, writeFile } from "node:fs/promises";
import { temporaryDirectory, type TemporaryDirectory } from "@openclaw/testkit";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askSsh } from "../../src/settings/ask-ssh.ts";
import { findSshProgram } from "../../src/settings/find-ssh-program.ts";
import { defaultAlgorithms } from "../../src/settings/openssh-defaults.ts";
import { parsePrintedLines } from "../../src/settings/printed-config.ts";
import { resolveSshSettings } from "../../src/settings/resolve-settings.ts";
import { TunnelError } from "../../src/errors.ts";
import { writtenConfig, type WrittenConfig } from "./config-grammar.ts";

const program = findSshProgram(process.env);
const env = { PATH: process.env["PATH"], KEYS: "my-keys", OTHER: "/run/other.sock" };

describe.skipIf(program === undefined)("without an ssh program, settings", () => {
  let directory: TemporaryDirectory;
  let hasStableDefaults = false;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    hasStableDefaults = await hasDefaultsOfOurTable(program ?? "");
  });
  afterAll(() => directory[Symbol.asyncDispose]());

  test.each(Object.entries(corpus))("are those that ssh prints: %s", async (_, lines) => {
    const file = await write(directory, { main: lines.join("\n"), included: "", target });
    for (const host of ["box", "bastion", "web1", "web2.example.org", "192.0.2.40", "WEB1"]) {
      const read = (useProgram: boolean): Promise<unknown> =>
        outcomeOf({ host }, file, useProgram, hasStableDefaults);
      const outcome = await read(false);
      expect(outcome).toEqual(await read(true));
      expect(outcome).toHaveProperty("hostName");
    }
  });

  test("are those that ssh prints, and so are the faults, for any configuration", async () => {
    await fc.assert(
      fc.asyncProperty(writtenConfig, async (written) => {
        const file = await write(directory, written);
        const read = (useProgram: boolean): Promise<unknown> =>
          outcomeOf(written.target, file, useProgram, hasStableDefaults);
        expect(await read(false)).toEqual(await read(true));
      }),
      { numRuns: 120 },
    );
  });
});

const target = { host: "box" };

/** As people write them. */
const corpus: Readonly<Record<string, readonly string[]>> = {
  "a laptop with a bastion": [
    "Host bastion",
    "    HostName bastion.example.org",
    "    User jump",
    "    IdentityFile ~/.ssh/bastion_ed25519",
    "    IdentitiesOnly yes",
    "",
    "Host web* !web2*",
    "    ProxyJump bastion",
    "    User deploy",
    "    LocalForward 18789 127.0.0.1:18789",
    "",
    "Host *",
    "    ServerAliveInterval 60",
    "    ServerAliveCountMax 3",
    "    AddKeysToAgent yes",
    "    IdentityFile ~/.ssh/id_ed25519",
  ],
  "equals signs, tabs and line ends of another system": [
    "host = box\r",
    "\tHOSTNAME=192.0.2.40\r",
    "\tport\t=\t2222\r",
    '\tIdentityFile = "~/.ssh/my key"\r',
    "\r",
  ],
  "conditions on the name before and after HostName": [
    "Match originalhost web1",
    "  HostName web1.internal.example.org",
    "Match host *.internal.example.org user root",
    "  User service",
    'Match host "*.internal.example.org,box" !user root',
    "  Port 2022",
    "Match localuser root,somebody",
    "  ConnectTimeout 15",
    "Match all",
    "  StrictHostKeyChecking accept-new",
  ],
  "a second reading": [
    "Host web1",
    "  HostName final.example.org",
    "Match final host final.*",
    "  User finally",
    "Host final.example.org",
    "  Port 2200",
    "Match !final",
    "  BindAddress 127.0.0.1",
  ],
  "what comes first stays": [
    "IdentityFile /first",
    "Host box web1",
    "  User one",
    "  IdentityFile /second",
    "  Ciphers aes256-ctr,aes128-ctr",
    "Host *",
    "  User two",
    "  IdentityFile /first",
    "  IdentityFile /third",
    "  Ciphers aes128-ctr",
    "  ProxyCommand none",
    "  ProxyJump never",
  ],
  "names that are patterns, ports and addresses": [
    "Host 192.0.2.?? 2001:db8::*",
    "  User address",
    "Host WEB1",
    "  User capital",
    "Host ?eb[12] web1,web2",
    "  User never",
    "Host *.org",
    "  HostName %h.",
  ],
};

async function outcomeOf(
  target: WrittenConfig["target"],
  sshConfig: string,
  useProgram: boolean,
  hasStableDefaults: boolean,
): Promise<unknown> {
  try {
    const settings = await resolveSshSettings(target, { env, sshConfig, useProgram });
    const { source: _source, identityFiles, algorithms, ...rest } = settings;
    return {
      ...rest,
      // Which files and algorithms are the default differs from release to release.
      ...(settings.hasOwnIdentity ? { identityFiles } : {}),
      ...(hasStableDefaults ? { algorithms } : { algorithms: Object.keys(algorithms) }),
    };
  } catch (error) {
    if (!(error instanceof TunnelError)) throw error;
    return { code: error.code, file: error.details.file, line: error.details.line };
  }
}

async function write(
  directory: TemporaryDirectory,
  { main, included }: WrittenConfig,
): Promise<string> {
  await mkdir(directory.file("parts"), { recursive: true });
  const file = directory.file("config");
  await writeFile(file, main.replaceAll("__INCLUDED__", directory.file("parts", "*.conf")));
  await writeFile(directory.file("parts", "one.conf"), included, { mode: 0o600 });
  return file;
}

async function hasDefaultsOfOurTable(ssh: string): Promise<boolean> {
  const asking = { env, timeoutMs: 10_000, signal: undefined };
  const printed = parsePrintedLines((await askSsh(ssh, ["-F", "none", "--", "box"], asking)) ?? "");
  return Object.entries(defaultAlgorithms).every(
    ([keyword, [first]]) => printed.get(keyword)?.[0] === first?.join(","),
  );
}
