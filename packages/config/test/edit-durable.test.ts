import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { removeOrphans, replaceFile, writeDraft } from "../src/edit/durable-file.ts";

async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-durable-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function failing(code: string): () => Promise<void> {
  return () => Promise.reject(Object.assign(new Error("in use"), { code }));
}

test.each(["EPERM", "EACCES", "EBUSY"])(
  "where Windows says %s, the text is copied over the file instead",
  async (code) => {
    const target = join(await scratchFolder(), "c.json");
    await writeFile(target, "old");
    const draft = await writeDraft(target, "new");
    expect((await stat(draft.path)).mode & 0o777).toBe(0o600);
    await replaceFile(draft.path, target, { platform: "win32", move: failing(code) });
    expect(await readFile(target, "utf8")).toBe("new");
    await expect(stat(draft.path)).rejects.toThrow("ENOENT");
  },
);

test.each([
  ["linux", "EPERM"],
  ["win32", "ENOSPC"],
])("on %s a rename that fails with %s is a failure, and the file stays", async (platform, code) => {
  const target = join(await scratchFolder(), "c.json");
  await writeFile(target, "old");
  const draft = await writeDraft(target, "new");
  await expect(
    replaceFile(draft.path, target, { platform, move: failing(code) }),
  ).rejects.toMatchObject({ code });
  expect(await readFile(target, "utf8")).toBe("old");
  await draft.discard();
  expect(await readdir(join(target, ".."))).toEqual(["c.json"]);
});

test("what dead processes have left is removed, and nothing else", async () => {
  const folder = await scratchFolder();
  const uuid = "0f8fad5b-d9cb-469f-a165-70867728950e";
  const left = [
    `c.json.7.${uuid}.tmp`,
    `c.json.lock.7.${uuid}.tmp`,
    "c.json.lock.over-0123456789abcdef",
  ];
  const kept = [
    "c.json",
    "c.json.bak",
    `c.json.8.${uuid}.tmp`,
    "c.json.tmp",
    `other.7.${uuid}.tmp`,
  ];
  await Promise.all([...left, ...kept].map((name) => writeFile(join(folder, name), "")));
  await removeOrphans(join(folder, "c.json"), (pid) => pid === 8);
  expect((await readdir(folder)).toSorted()).toEqual(kept.toSorted());
});
