import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  diffConfigs,
  editConfigFile,
  findFormerConfig,
  formatConfigPath,
  hashConfigText,
  markConfigGood,
  parseConfigPath,
  replaceConfigText,
} from "../src/index.ts";

const TEXT = "{\n  // mine\n  gateway: { port: 18789 },\n}\n";

async function scratchFile(text?: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-edit-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "openclaw.json");
  if (text !== undefined) await writeFile(path, text, { mode: 0o644 });
  return path;
}

const set = (path: string, value: unknown) => [{ path, value }];

test("five former texts are kept, the newest first, and closed to others", async () => {
  const path = await scratchFile("{gateway: {port: 1}}");
  await chmod(path, 0o644);
  for (const port of [2, 3, 4, 5, 6, 7]) {
    // oxlint-disable-next-line no-await-in-loop
    await editConfigFile(path, set("gateway.port", port));
  }
  const names = ["", ".bak", ".bak.1", ".bak.2", ".bak.3", ".bak.4"];
  const texts = await Promise.all(names.map((name) => readFile(path + name, "utf8")));
  expect(texts).toEqual([7, 6, 5, 4, 3, 2].map((port) => `{gateway: {port: ${port}}}`));
  const modes = await Promise.all(names.map(async (name) => (await stat(path + name)).mode));
  expect(modes.map((mode) => mode & 0o777)).toEqual(names.map(() => 0o600));
  expect(await readFile(`${path}.last-good`, "utf8")).toBe(texts[0]);
});

test("a file that cannot be read names the last good one, which is still there", async () => {
  const path = await scratchFile(TEXT);
  await markConfigGood(path);
  await writeFile(path, "{ gateway: ");
  await expect(editConfigFile(path, set("gateway.port", 1))).rejects.toMatchObject({
    code: "CONFIG_UNREADABLE",
    hint: expect.stringContaining(`${path}.last-good`),
  });
  expect(await readFile(path, "utf8")).toBe("{ gateway: ");
  expect(await findFormerConfig(path)).toMatchObject({ path: `${path}.last-good` });
});

test("without a last good one the newest readable backup is named", async () => {
  const path = await scratchFile("{");
  expect(await findFormerConfig(path)).toBeUndefined();
  await writeFile(`${path}.bak`, "{");
  await writeFile(`${path}.bak.1`, TEXT);
  expect(await findFormerConfig(path)).toMatchObject({ path: `${path}.bak.1` });
});

test("a base hash lets only those change who have seen the present text", async () => {
  const path = await scratchFile(TEXT);
  const baseHash = hashConfigText(TEXT);
  const first = await editConfigFile(path, set("gateway.port", 1), { baseHash });
  await expect(editConfigFile(path, set("gateway.port", 2), { baseHash })).rejects.toMatchObject({
    code: "CONFIG_CHANGED",
  });
  await editConfigFile(path, set("gateway.port", 2), { baseHash: first.hash });
  expect(await readFile(path, "utf8")).toBe(TEXT.replace("18789", "2"));
});

test("a hash with a key says nothing to those who have it not", () => {
  expect(hashConfigText(TEXT, Buffer.from("k"))).toMatch(/^hmac-sha256:v1:/);
  expect(hashConfigText(TEXT, Buffer.from("k"))).not.toBe(hashConfigText(TEXT, Buffer.from("l")));
  expect(hashConfigText(undefined)).not.toBe(hashConfigText(""));
});

test("keys that nobody else has changed are merged into what others wrote", async () => {
  const path = await scratchFile(TEXT);
  await editConfigFile(path, set("gateway.bind", "lan"));
  const { after } = await editConfigFile(path, set("gateway.port", 2), { baseText: TEXT });
  expect(after).toEqual({ gateway: { port: 2, bind: "lan" } });
  const whole = await replaceConfigText(path, '{"gateway": {"port": 3}}', {
    baseText: '{"gateway": {"port": 2}}',
  });
  expect(whole.after).toEqual({ gateway: { port: 3, bind: "lan" } });
  expect(whole.text).toContain("// mine");
});

test.each<[string, unknown, string]>([
  ["gateway.port", 2, "gateway.port"],
  ["gateway", {}, "gateway.port"],
])("a change of %s is refused where that was changed meanwhile", async (key, value, where) => {
  const path = await scratchFile(TEXT);
  const { text } = await editConfigFile(path, set("gateway.port", 1));
  await expect(editConfigFile(path, set(key, value), { baseText: TEXT })).rejects.toMatchObject({
    code: "CONFIG_CHANGED",
    message: expect.stringContaining(where),
  });
  expect(await readFile(path, "utf8")).toBe(text);
});

test("two who want the same do not disagree", async () => {
  const path = await scratchFile(TEXT);
  await editConfigFile(path, set("gateway.port", 1));
  const again = await editConfigFile(path, set("gateway.port", 1), { baseText: TEXT });
  expect(again).toMatchObject({ changed: false, after: { gateway: { port: 1 } } });
});

test.each(["OPENCLAW_CONFIG_READONLY", "OPENCLAW_NIX_MODE"])(
  "%s refuses every change",
  async (name) => {
    const path = await scratchFile(TEXT);
    await expect(
      editConfigFile(path, set("gateway.port", 1), { env: { [name]: "1" } }),
    ).rejects.toMatchObject({ code: "CONFIG_READONLY", message: expect.stringContaining(name) });
    expect(await readdir(join(path, ".."))).toEqual(["openclaw.json"]);
  },
);

test("a dry run checks and writes nothing", async () => {
  const path = await scratchFile(TEXT);
  const planned = await editConfigFile(path, set("gateway.port", 1), { dryRun: true });
  expect(planned).toMatchObject({ changed: true, after: { gateway: { port: 1 } } });
  expect(await readFile(path, "utf8")).toBe(TEXT);
  await expect(
    editConfigFile(path, set("gateway.port", "x"), { dryRun: true }),
  ).rejects.toMatchObject({ code: "CONFIG_INVALID" });
});

test("meta is stamped where there is one, and made nowhere", async () => {
  const options = { version: "1.2.3", now: () => 0 };
  const path = await scratchFile('{meta: {lastTouchedAt: "then"}, gateway: {}}');
  const { after } = await editConfigFile(path, set("gateway.port", 1), options);
  expect(after).toMatchObject({
    meta: { lastTouchedVersion: "1.2.3", lastTouchedAt: "1970-01-01T00:00:00.000Z" },
  });
  // Releases that keep no time refuse a file that has one.
  const newer = await scratchFile("{meta: {}, gateway: {}}");
  const { after: kept } = await editConfigFile(newer, set("gateway.port", 1), options);
  expect(kept["meta"]).toEqual({ lastTouchedVersion: "1.2.3" });
  const other = await scratchFile(TEXT);
  const edited = await editConfigFile(other, set("gateway.port", 1), options);
  expect(edited.after).toEqual({ gateway: { port: 1 } });
});

test("what comes from an included file is changed there, not here", async () => {
  const path = await scratchFile('{gateway: {$include: "./gateway.json5", bind: "lan"}}');
  await writeFile(join(path, "..", "gateway.json5"), "{port: 1}");
  for (const value of [2, undefined]) {
    // oxlint-disable-next-line no-await-in-loop
    await expect(editConfigFile(path, set("gateway.port", value))).rejects.toMatchObject({
      code: "CONFIG_INCLUDED",
      message: expect.stringContaining("gateway.json5"),
    });
  }
  const { text } = await editConfigFile(path, set("gateway.mode", "local"));
  expect(text).toBe('{gateway: {$include: "./gateway.json5", bind: "lan", mode: "local"}}');
  expect(await readFile(join(path, "..", "gateway.json5"), "utf8")).toBe("{port: 1}");
});

test("what is included is checked with what is written", async () => {
  const path = await scratchFile('{gateway: {$include: "./gateway.json5"}}');
  await writeFile(join(path, "..", "gateway.json5"), "{port: 'x'}");
  await expect(editConfigFile(path, set("gateway.mode", "local"))).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [{ path: "gateway.port" }],
  });
});

test.each<[string, readonly (string | number)[]]>([
  ["gateway.port", ["gateway", "port"]],
  ["agents.list[0].name", ["agents", "list", 0, "name"]],
  [String.raw`channels.my\.own.a\[b\]\\`, ["channels", "my.own", String.raw`a[b]\ `.trim()]],
  ["a[1][2]", ["a", 1, 2]],
])("the path %s is read and written", (text, keys) => {
  expect(parseConfigPath(text)).toEqual(keys);
  expect(formatConfigPath(keys)).toBe(text);
});

test.each(["", ".", "a.", ".a", "a..b", "a[", "a[x]", "a[-1]", "a[01]", "a]", "a[0]b", "a.[0]"])(
  "%j is no path",
  (text) => {
    expect(() => parseConfigPath(text)).toThrow("is no path of a config key");
  },
);

test("a difference is told as deep down as objects go", () => {
  expect(diffConfigs({ a: { b: 1, c: [1] } }, { a: { c: [1, 2], d: null } })).toEqual([
    { path: ["a", "b"], before: 1, after: undefined },
    { path: ["a", "c"], before: [1], after: [1, 2] },
    { path: ["a", "d"], before: undefined, after: null },
  ]);
});
