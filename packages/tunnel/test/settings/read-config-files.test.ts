import { chmod, mkdir, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { temporaryDirectory, type TemporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import {
  readConfigFiles,
  type ReadConfigOptions,
} from "../../src/settings/config-files/read-config-files.ts";
import { filesMatching } from "../../src/settings/config-files/include-files.ts";
import type { EffectiveConfig } from "../../src/settings/effective-config.ts";

/** A home and a system directory, with the files that are named from there. */
async function machine(files: Readonly<Record<string, string>>): Promise<{
  readonly directory: TemporaryDirectory;
  read(options?: Partial<ReadConfigOptions>): Promise<EffectiveConfig>;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const directory = await temporaryDirectory();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(directory.file(name)), { recursive: true });
    await writeFile(directory.file(name), text, { mode: 0o600 });
  }
  const { username, uid } = userInfo();
  return {
    directory,
    read: (options = {}) =>
      readConfigFiles({
        target: { host: "box" },
        through: undefined,
        file: undefined,
        localUser: { name: username, uid, home: directory.file("home") },
        env: {},
        signal: undefined,
        systemDirectory: directory.file("etc"),
        ...options,
      }),
    [Symbol.asyncDispose]: async () => directory[Symbol.asyncDispose](),
  };
}

const of = (config: EffectiveConfig, keyword: string): readonly string[] | undefined =>
  config.values.get(keyword);

test("the user's file comes before the system's, and repeated keys add up", async () => {
  await using box = await machine({
    "home/.ssh/config": "Host box\n  User mine\n  IdentityFile /mine\n",
    "etc/ssh_config": "User system\nPort 22022\nIdentityFile /system\n",
  });
  const config = await box.read();
  expect(of(config, "user")).toEqual(["mine"]);
  expect(of(config, "port")).toEqual(["22022"]);
  expect(of(config, "identityfile")).toEqual(["/mine", "/system"]);
});

test("Include is relative to ~/.ssh for the user and to the system's directory there", async () => {
  await using box = await machine({
    "home/.ssh/config": "Include more/* nothing-here\nInclude ~/.ssh/last\n",
    "home/.ssh/more/b": "User b\n",
    "home/.ssh/more/a": "User a\n",
    "home/.ssh/more/.hidden": "User hidden\n",
    "home/.ssh/last": "Port 7\n",
    "etc/ssh_config": "Include conf.d/*.conf\n",
    "etc/conf.d/x.conf": "ServerAliveInterval 9\n",
    "etc/conf.d/x.txt": "BindAddress 192.0.2.1\n",
  });
  const config = await box.read();
  expect(of(config, "user")).toEqual(["a"]);
  expect(of(config, "port")).toEqual(["7"]);
  expect(of(config, "serveraliveinterval")).toEqual(["9"]);
  expect(of(config, "bindaddress")).toBeUndefined();
});

test("the system's file may not include from a home", async () => {
  await using box = await machine({ "etc/ssh_config": "\nInclude ~/x\n" });
  await expect(box.read()).rejects.toMatchObject({
    code: "INVALID_SSH_CONFIG",
    details: { file: box.directory.file("etc/ssh_config"), line: 2 },
  });
});

test("a block around Include holds for what is included, and goes on after it", async () => {
  await using box = await machine({
    "home/.ssh/config":
      "Host other\n  Include part\n  User never\nHost box\n  Include part\n  Port 5\n",
    "home/.ssh/part": "IdentityFile /part\nHost *\n  CertificateFile /everywhere\nHost nobody\n",
  });
  const config = await box.read();
  expect(of(config, "identityfile")).toEqual(["/part"]);
  expect(of(config, "certificatefile")).toEqual(["/everywhere"]);
  expect(of(config, "port")).toEqual(["5"]);
  expect(of(config, "user")).toBeUndefined();
});

test("a file that includes itself is refused", async () => {
  await using box = await machine({ "home/.ssh/config": "Include config\n" });
  await expect(box.read()).rejects.toMatchObject({
    code: "INVALID_SSH_CONFIG",
    message: expect.stringContaining("Too many recursive"),
  });
});

test.skipIf(process.platform === "win32")("a file that others can write is refused", async () => {
  await using box = await machine({
    "home/.ssh/config": "Include part\n",
    "home/.ssh/part": "User a\n",
  });
  expect(of(await box.read(), "user")).toEqual(["a"]);
  for (const name of ["home/.ssh/part", "home/.ssh/config"]) {
    await chmod(box.directory.file(name), 0o620);
    await expect(box.read()).rejects.toMatchObject({
      code: "INVALID_SSH_CONFIG",
      details: { file: box.directory.file(name) },
    });
  }
});

test("a fault counts in a block and in an included file that do not apply", async () => {
  await using box = await machine({
    "home/.ssh/config": "Host other\n  Include part\n",
    "home/.ssh/part": "# nothing\nPort none\n",
  });
  await expect(box.read()).rejects.toMatchObject({
    details: { file: box.directory.file("home/.ssh/part"), line: 2 },
  });
});

test("Match final has the files read again, with the name that HostName gave", async () => {
  await using box = await machine({
    "home/.ssh/config": [
      "HostName real.example.org",
      "IdentityFile /each-time-once",
      "Host real.*",
      "  User late",
      "Match final host real.example.org",
      "  Port 9",
    ].join("\n"),
  });
  const config = await box.read();
  expect(of(config, "hostname")).toEqual(["real.example.org"]);
  expect(of(config, "user")).toEqual(["late"]);
  expect(of(config, "port")).toEqual(["9"]);
  expect(of(config, "identityfile")).toEqual(["/each-time-once"]);
});

test("GSSAPI counts as the user's wish in the user's file alone", async () => {
  const yes = "GSSAPIAuthentication yes\n";
  await using mine = await machine({ "home/.ssh/config": yes });
  await using systems = await machine({ "etc/ssh_config": yes });
  expect((await mine.read()).wantsGssapi).toBe(true);
  expect((await systems.read()).wantsGssapi).toBe(false);
});

test("files that are missing or directories say nothing", async () => {
  await using box = await machine({
    "home/.ssh/config": "Include parts/*\n",
    "home/.ssh/parts/sub/x": "User x\n",
  });
  expect(of(await box.read(), "user")).toBeUndefined();
  await using empty = await machine({});
  expect(of(await empty.read(), "hostname")).toEqual(["box"]);
});

test("wildcards of Include are those of a shell", async () => {
  await using directory = await temporaryDirectory();
  for (const name of ["a1", "a2", "b1", ".h1", "x[y", "sub/c1", "sub2/c1"]) {
    await mkdir(dirname(directory.file(name)), { recursive: true });
    await writeFile(directory.file(name), "");
  }
  const names = async (pattern: string): Promise<readonly string[]> =>
    (await filesMatching(directory.file(pattern))).map((path) =>
      path.slice(directory.path.length + 1),
    );
  expect(await names("a?")).toEqual(["a1", "a2"]);
  expect(await names("[ab]1")).toEqual(["a1", "b1"]);
  expect(await names("[!a]1")).toEqual(["b1"]);
  expect(await names("*1")).toEqual(["a1", "b1"]);
  expect(await names(".*1")).toEqual([".h1"]);
  expect(await names("sub*/c*")).toEqual(["sub/c1", "sub2/c1"]);
  expect(await names("x[[]y")).toEqual(["x[y"]);
  expect(await names("a1")).toEqual(["a1"]);
  expect(await names("none")).toEqual([]);
  expect(await names("none/*")).toEqual([]);
});
