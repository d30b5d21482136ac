import {
  appendFile,
  chmod,
  mkdir,
  readFile,
  readdir,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import process from "node:process";
import { startProcess, temporaryDirectory } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { readKnownHosts } from "../../src/host-keys/known-hosts.ts";
import { recordHostKey } from "../../src/host-keys/record-host-key.ts";
import { ed25519Key, rsaKey } from "./support/test-keys.ts";

const key = ed25519Key("host");
const { type, blob } = key;

test("a line is appended to a new file that nobody else may read", async () => {
  await using directory = await temporaryDirectory();
  const file = directory.file(".ssh", "known_hosts");
  const isAdded = await recordHostKey({ file, name: "[Box]:2222", type, blob, hash: false });
  expect(isAdded).toBe(true);
  expect(await readFile(file, "utf8")).toBe(`[box]:2222 ${key.text}\n`);
  expect(await readdir(directory.file(".ssh"))).toEqual(["known_hosts"]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(directory.file(".ssh"))).mode & 0o777).toBe(0o700);
});

test("what stands there stays, and a missing line end is added", async () => {
  await using directory = await temporaryDirectory();
  const file = directory.file("known_hosts");
  await writeFile(file, "# mine\r\nbroken line");
  await chmod(file, 0o644);
  await recordHostKey({ file, name: "box", type, blob, hash: false });
  await recordHostKey({ file, name: "fox", type, blob, hash: false });
  expect(await readFile(file, "utf8")).toBe(
    `# mine\r\nbroken line\nbox ${key.text}\nfox ${key.text}\n`,
  );
  expect((await stat(file)).mode & 0o777).toBe(0o644);
});

test("a hashed line does not tell the name, is salted anew, and is found", async () => {
  await using directory = await temporaryDirectory();
  const file = directory.file("known_hosts");
  await recordHostKey({ file, name: "box.example", type, blob, hash: true });
  await recordHostKey({ file, name: "box.example", ...rsaKey("host"), hash: true });
  const text = await readFile(file, "utf8");
  expect(text).not.toContain("box");
  const names = text.split("\n").map((line) => line.split(" ")[0]);
  expect(new Set(names).size).toBe(3);
  const hosts = await readKnownHosts([file]);
  const display = "box.example";
  const { keys } = hosts.lookup({ display, withoutPort: undefined, principal: display });
  expect(keys.map(({ type }) => type)).toEqual(["ssh-ed25519", "ssh-rsa"]);
});

test.each([true, false])("a key that is there is not added again, hashed: %s", async (hash) => {
  await using directory = await temporaryDirectory();
  const file = directory.file("known_hosts");
  const record = (name: string): Promise<boolean> =>
    recordHostKey({ file, name, type, blob, hash });
  const answers = [await record("box"), await record("BOX"), await record("fox")];
  expect(answers).toEqual([true, false, true]);
  expect((await readFile(file, "utf8")).split("\n")).toHaveLength(3);
});

test("a mark of the same key does not make it a known one", async () => {
  await using directory = await temporaryDirectory();
  const file = directory.file("known_hosts");
  await writeFile(file, `@cert-authority box ${key.text}\n`);
  expect(await recordHostKey({ file, name: "box", type, blob, hash: false })).toBe(true);
});

test("a symbolic link is followed", async () => {
  await using directory = await temporaryDirectory();
  const [file, link] = [directory.file("real"), directory.file("link")];
  await writeFile(file, "# real\n");
  await symlink(file, link);
  await recordHostKey({ file: link, name: "box", type, blob, hash: false });
  expect(await readFile(file, "utf8")).toBe(`# real\nbox ${key.text}\n`);
  expect((await readdir(directory.path)).sort()).toEqual(["link", "real"]);
});

test("nothing is recorded in /dev/null", async () => {
  expect(await recordHostKey({ file: "/dev/null", name: "box", type, blob, hash: false })).toBe(
    false,
  );
});

test("a name that is a pattern is refused, and a file that cannot be written named", async () => {
  await using directory = await temporaryDirectory();
  const file = directory.file("known_hosts");
  for (const name of ["*", "a b", "box\n@cert-authority *", "a,b"]) {
    await expect(recordHostKey({ file, name, type, blob, hash: true })).rejects.toMatchObject({
      code: "INVALID_SSH_CONFIG",
      details: { file },
    });
  }
  expect(await readdir(directory.path)).toEqual([]);
  await mkdir(file);
  await expect(recordHostKey({ file, name: "box", type, blob, hash: false })).rejects.toMatchObject(
    {
      code: "INVALID_SSH_CONFIG",
      details: { file },
    },
  );
  expect(await readdir(directory.path)).toEqual(["known_hosts"]);
});

test("a lock that a dead process left behind is taken away", async () => {
  await using directory = await temporaryDirectory();
  const file = directory.file("known_hosts");
  await writeFile(`${file}.lock`, "");
  await utimes(`${file}.lock`, new Date(0), new Date(0));
  await recordHostKey({ file, name: "box", type, blob, hash: false });
  expect(await readdir(directory.path)).toEqual(["known_hosts"]);
});

describe("eight processes at once", () => {
  test("lose no line, tear none, and add none twice", async () => {
    await using directory = await temporaryDirectory();
    const file = directory.file("known_hosts");
    await writeFile(file, "# without an end");
    const writers = Array.from({ length: 8 }, (_, writer) => startWriter(file, writer));
    try {
      await Promise.all(writers.map(({ line }) => line("ready")));
      // ssh itself appends without asking anybody.
      for (const { pid } of writers) process.kill(pid, "SIGUSR2");
      await appendFile(file, `\nssh ${key.text}\n`);
      const exits = await Promise.all(writers.map(({ exited }) => exited));
      expect(exits.map(({ code }) => code)).toEqual(Array.from({ length: 8 }, () => 0));
    } finally {
      await Promise.all(writers.map((writer) => writer[Symbol.asyncDispose]()));
    }
    const expected = Array.from({ length: 8 }, (_, writer) =>
      Array.from({ length: 3 }, (_, index) => `own-${writer}-${index} ${key.text}`),
    ).flat();
    const shared = Array.from({ length: 3 }, (_, index) => `shared-${index} ${key.text}`);
    const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
    expect(lines.sort()).toEqual(
      ["# without an end", `ssh ${key.text}`, ...shared, ...expected].sort(),
    );
    expect(await readdir(directory.path)).toEqual(["known_hosts"]);
  });
});

/** Waits for a signal, then records three hosts of its own and three that all the others record too. */
function startWriter(file: string, writer: number): ReturnType<typeof startProcess> {
  const module = new URL("../../src/host-keys/record-host-key.ts", import.meta.url).href;
  const script = `
    import { recordHostKey } from ${JSON.stringify(module)};
    const blob = Buffer.from(${JSON.stringify(blob.toString("base64"))}, "base64");
    const common = { file: ${JSON.stringify(file)}, type: ${JSON.stringify(type)}, blob, hash: false };
    process.once("SIGUSR2", async () => {
      for (let index = 0; index < 3; index += 1) {
        await recordHostKey({ ...common, name: "shared-" + index });
        await recordHostKey({ ...common, name: "own-${writer}-" + index });
      }
      clearInterval(alive);
    });
    const alive = setInterval(() => {}, 1000);
    process.stdout.write("ready\\n");`;
  return startProcess(process.execPath, ["--input-type=module", "--eval", script]);
}
