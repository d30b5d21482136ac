import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { once } from "node:events";
import {
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import JSON5 from "json5";
import { expect, onTestFinished, test } from "vitest";
import { editConfigFile, loadConfig, replaceConfigText } from "../src/index.ts";

const editor = fileURLToPath(new URL("support/editor-process.ts", import.meta.url));
const TEXT = "{\n  // mine\n  gateway: { port: 18789 },\n}\n";

async function scratchFile(text?: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-edit-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "openclaw.json");
  if (text !== undefined) await writeFile(path, text, { mode: 0o644 });
  return path;
}

const BACKUPS = [".bak", ".bak.1", ".bak.2", ".bak.3", ".bak.4"];

/** What the files in the folder of a config have behind its name. */
async function filesBeside(path: string): Promise<string[]> {
  return (await readdir(dirname(path))).map((name) => name.replace("openclaw.json", "")).toSorted();
}

const setUrl = (value: unknown = "ssh://me@box") => [{ path: "gateway.remote.url", value }];

test("a change keeps comments, leaves the former text beside it, and closes both to others", async () => {
  const path = await scratchFile(TEXT);
  const result = await editConfigFile(path, setUrl());
  expect(result).toMatchObject({
    changed: true,
    backupPath: `${result.path}.bak`,
    before: { gateway: { port: 18_789 } },
    after: { gateway: { port: 18_789, remote: { url: "ssh://me@box" } } },
  });
  expect(await readFile(path, "utf8")).toBe(
    '{\n  // mine\n  gateway: { port: 18789, remote: { url: "ssh://me@box" } },\n}\n',
  );
  expect(await readFile(`${path}.bak`, "utf8")).toBe(TEXT);
  for (const file of [path, `${path}.bak`]) expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await filesBeside(path)).toEqual(["", ".bak", ".last-good"]);
});

test("a change that is none writes nothing", async () => {
  const path = await scratchFile(TEXT);
  const before = await stat(path);
  const result = await editConfigFile(path, [
    { path: "gateway.port", value: 18_789 },
    { path: "gateway.remote", value: undefined },
  ]);
  expect(result).toMatchObject({ changed: false, after: { gateway: { port: 18_789 } } });
  expect(result).not.toHaveProperty("backupPath");
  expect(await stat(path)).toMatchObject({ ino: before.ino, mode: before.mode });
  expect(await readdir(dirname(path))).toEqual(["openclaw.json"]);
});

test("a file that is missing, or blank, is an empty config", async () => {
  const missing = await scratchFile();
  const path = join(dirname(missing), "state", "openclaw.json");
  expect(await editConfigFile(path, setUrl())).toMatchObject({ changed: true, before: {} });
  expect(await readFile(path, "utf8")).toBe(
    '{\n  "gateway": {\n    "remote": {\n      "url": "ssh://me@box"\n    }\n  }\n}\n',
  );
  expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
  expect(await filesBeside(path)).toEqual(["", ".last-good"]);
  const blank = await scratchFile(" \n");
  expect(await editConfigFile(blank, setUrl())).toMatchObject({ changed: true, before: {} });
  expect(await loadConfig({ path: blank, env: {} })).toMatchObject({ ok: true });
});

test("the edits may depend on what is there", async () => {
  const path = await scratchFile(TEXT);
  const { after } = await editConfigFile(path, (config) => [
    { path: "gateway.port", value: (config["gateway"] as { port: number }).port + 1 },
  ]);
  expect(after).toEqual({ gateway: { port: 18_790 } });
});

test.each([
  ["is no JSON5", "{ gateway: ", /line 1/u],
  ["is no object", "[1]", /not an object/u],
  ["is no text", Buffer.from([0x7b, 0xff, 0x7d]), /not valid|encoded data/iu],
])("a file that %s is refused and stays as it is", async (_, text, why) => {
  const path = await scratchFile();
  await writeFile(path, text);
  await expect(editConfigFile(path, setUrl())).rejects.toMatchObject({
    name: "ConfigError",
    code: "CONFIG_UNREADABLE",
    message: expect.stringMatching(why),
  });
  expect(await readFile(path)).toEqual(Buffer.from(text));
  expect(await readdir(dirname(path))).toEqual(["openclaw.json"]);
});

test("a file that cannot be read is not taken for an empty one", async () => {
  const path = await scratchFile();
  await mkdir(path);
  await expect(editConfigFile(path, setUrl())).rejects.toMatchObject({
    code: "CONFIG_UNREADABLE",
    message: expect.stringContaining("EISDIR"),
  });
});

test.each([
  ["the result is not valid", TEXT, setUrl("http://x"), "gateway.remote.url"],
  ["another key was wrong before", "{gateway: {prot: 1}}", setUrl(), "gateway.prot"],
])("nothing is written when %s", async (_, text, edits, wrong) => {
  const path = await scratchFile(text);
  await expect(editConfigFile(path, edits)).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining(wrong),
    issues: [{ path: wrong }],
  });
  expect(await readFile(path, "utf8")).toBe(text);
  expect(await readdir(dirname(path))).toEqual(["openclaw.json"]);
});

test("references to variables stay as they are written, and are checked by their values", async () => {
  const path = await scratchFile("{gateway: {remote: {token: '${SECRET}', url: '${URL}'}}}");
  const edits = [{ path: "gateway.mode", value: "remote" }];
  await expect(editConfigFile(path, edits, { env: { URL: "http://x" } })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
  });
  await editConfigFile(path, edits, { env: { SECRET: "hidden" } });
  expect(await readFile(path, "utf8")).toBe(
    "{gateway: {remote: {token: '${SECRET}', url: '${URL}'}, mode: \"remote\"}}",
  );
});

test("a link stays a link to the file that is changed", async () => {
  const path = await scratchFile(TEXT);
  const link = join(dirname(path), "link.json");
  await symlink("openclaw.json", link);
  await editConfigFile(link, setUrl());
  expect(await readlink(link)).toBe("openclaw.json");
  expect(await readFile(path, "utf8")).toContain("ssh://me@box");
});

test("a link to a file that is not there yet stays one, and the file is made there", async () => {
  const path = await scratchFile();
  const link = `${path}.link`;
  await symlink(basename(path), link);
  await editConfigFile(link, [{ path: "gateway.port", value: 4000 }]);
  expect((await lstat(link)).isSymbolicLink()).toBe(true);
  expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ gateway: { port: 4000 } });
});

test("a link in a circle is no place for a config", async () => {
  const path = await scratchFile();
  await symlink(basename(path), path);
  await expect(editConfigFile(path, [{ path: "gateway.port", value: 1 }])).rejects.toMatchObject({
    code: "CONFIG_UNREADABLE",
  });
});

test("what is no config is replaced only by who says so, and is kept", async () => {
  const path = await scratchFile("{ gateway: ");
  await expect(replaceConfigText(path, "{}")).rejects.toMatchObject({ code: "CONFIG_UNREADABLE" });
  await replaceConfigText(path, "{}", { replacesUnreadable: true });
  expect(await readFile(path, "utf8")).toBe("{}");
  expect(await readFile(`${path}.bak`, "utf8")).toBe("{ gateway: ");
});

test("somebody who writes without asking is noticed, and nothing of theirs is lost", async () => {
  const path = await scratchFile(TEXT);
  const theirs = TEXT.replace("18789", "18790");
  await expect(
    editConfigFile(path, () => {
      // Called after the file was read and before it is replaced.
      writeFileSync(path, theirs);
      return setUrl();
    }),
  ).rejects.toMatchObject({ code: "CONFIG_CHANGED" });
  expect(await readFile(path, "utf8")).toBe(theirs);
});

test("an error of whoever makes the edits comes through, and the lock is given back", async () => {
  const path = await scratchFile(TEXT);
  const own = new Error("own");
  await expect(
    editConfigFile(path, () => {
      throw own;
    }),
  ).rejects.toBe(own);
  await editConfigFile(path, setUrl());
  expect(await readdir(dirname(path))).not.toContain("openclaw.json.lock");
});

test("a folder that is none is an error with a cure", async () => {
  const path = join(await scratchFile(TEXT), "openclaw.json");
  await expect(editConfigFile(path, setUrl())).rejects.toMatchObject({
    name: "ConfigError",
    message: expect.stringContaining("ENOTDIR"),
    hint: expect.stringContaining("folder"),
  });
});

test("changes of one process at the same time are all kept", async () => {
  const path = await scratchFile("{}");
  await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      editConfigFile(path, [{ path: ["env", `N${index}`], value: String(index) }]),
    ),
  );
  expect(Object.keys(JSON5.parse(await readFile(path, "utf8")).env)).toHaveLength(10);
});

/** Changes keys `<name>0` to `<name>9`, one after the other, and tells of each. */
function startEditor(path: string, name: string, ...more: string[]) {
  const child = spawn(
    process.execPath,
    [
      "--conditions=@openclaw/source",
      "--disable-warning=ExperimentalWarning",
      editor,
      path,
      name,
      ...more,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

test("changes of several processes at the same time are all kept", async () => {
  const path = await scratchFile("{\n  // shared\n}\n");
  const children = ["A", "B", "C"].map((name) => startEditor(path, name));
  const codes = await Promise.all(children.map(async (child) => (await once(child, "close"))[0]));
  expect(codes).toEqual([0, 0, 0]);
  const text = await readFile(path, "utf8");
  expect(Object.keys(JSON5.parse(text).env)).toHaveLength(30);
  expect(text).toContain("// shared");
  expect(await filesBeside(path)).toEqual(["", ...BACKUPS, ".last-good"]);
});

test("a live process is waited for, then named; a dead one is taken over", async () => {
  const path = await scratchFile(TEXT);
  const child = startEditor(path, "A", "hold");
  await once(child.stdout, "data");
  await expect(editConfigFile(path, setUrl(), { lockTimeoutMs: 60 })).rejects.toMatchObject({
    code: "CONFIG_LOCKED",
    message: expect.stringContaining(`process ${child.pid}`),
  });
  expect(await readFile(path, "utf8")).toBe(TEXT);
  child.kill("SIGKILL");
  await once(child, "close");
  expect(await readdir(dirname(path))).toContain("openclaw.json.lock");
  const results = await Promise.all([
    editConfigFile(path, setUrl()),
    editConfigFile(path, [{ path: "gateway.mode", value: "remote" }]),
  ]);
  expect(results.map(({ changed }) => changed)).toEqual([true, true]);
  expect(await filesBeside(path)).toEqual(["", ".bak", ".bak.1", ".last-good"]);
});

test("a lock that nobody can have written is taken over", async () => {
  for (const left of [
    "",
    "nonsense",
    '{"pid":0,"nonce":"x"}',
    JSON.stringify({ pid: process.pid, nonce: "x" }),
  ]) {
    // oxlint-disable-next-line no-await-in-loop
    const path = await scratchFile(TEXT);
    // oxlint-disable-next-line no-await-in-loop
    await writeFile(`${path}.lock`, left);
    // oxlint-disable-next-line no-await-in-loop -- a lock without a name may be one that is being written
    await utimes(`${path}.lock`, 1, 1);
    // oxlint-disable-next-line no-await-in-loop
    expect(await editConfigFile(path, setUrl())).toMatchObject({ changed: true });
  }
});

test("a process of another container is not taken for dead because its pid is unknown here", async () => {
  const path = await scratchFile(TEXT);
  const lock = `${path}.lock`;
  // The largest pid that there is, which nobody has.
  const holder = { pid: 4_194_304, startedAt: null, space: "elsewhere", nonce: "theirs" };
  await writeFile(lock, JSON.stringify(holder));
  await expect(editConfigFile(path, setUrl(), { lockTimeoutMs: 60 })).rejects.toMatchObject({
    code: "CONFIG_LOCKED",
  });
  // Nobody works on the file for so long.
  const longAgo = Date.now() / 1000 - 60;
  await utimes(lock, longAgo, longAgo);
  expect(await editConfigFile(path, setUrl())).toMatchObject({ changed: true });
  await expect(stat(lock)).rejects.toThrow("ENOENT");
});

test.skipIf(process.getuid?.() !== 0)(
  "what root changes still belongs to whom it belonged",
  async () => {
    const path = await scratchFile(TEXT);
    const [uid, gid] = [12_345, 12_346];
    for (const owned of [path, dirname(path)]) {
      // oxlint-disable-next-line no-await-in-loop
      await chown(owned, uid, gid);
    }
    await editConfigFile(path, setUrl());
    for (const name of ["", ".bak", ".last-good"]) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await stat(path + name)).toMatchObject({ uid, gid });
    }
  },
);
