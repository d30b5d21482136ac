import { chmod, mkdir, writeFile } from "node:fs/promises";
import process from "node:process";
import { temporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { hashName } from "../../src/host-keys/known-hosts-line.ts";
import { knownHostsName } from "../../src/host-keys/known-hosts-name.ts";
import { isKnownOnlyByAuthority, readKnownHosts } from "../../src/host-keys/known-hosts.ts";
import { ed25519Key } from "./support/test-keys.ts";

const key = ed25519Key("host");
const other = ed25519Key("other");
const box = { hostName: "box", port: 2222, hostKeyAlias: undefined };

test("several files count, in their order, and a missing one is empty", async () => {
  await using directory = await temporaryDirectory();
  const [one, two] = [directory.file("one"), directory.file("two")];
  await writeFile(one, `# mine\nbox\n[box]:2222 ${key.text}\n`);
  await writeFile(two, `[box]:2222 ${other.text}\nbox ${key.text}\n@revoked box ${other.text}\n`);
  const hosts = await readKnownHosts([
    directory.file("missing"),
    one,
    directory.file("one", "below a file"),
    two,
    "/dev/null",
  ]);
  const { blob, fingerprint, type } = key;
  expect(hosts.malformed).toEqual([{ file: one, line: 2, reason: "a field is missing" }]);
  expect(hosts.lookup(knownHostsName(box))).toMatchObject({
    keys: [
      { type, blob, fingerprint, file: one, line: 3 },
      { file: two, line: 1, blob: other.blob },
    ],
    authorities: [],
    revoked: [{ file: two, line: 3, blob: other.blob }],
    withoutPort: { keys: [{ file: two, line: 2, blob }], authorities: [] },
  });
});

test("a mark of revocation for all hosts is listed once, though two names fit it", async () => {
  await using directory = await temporaryDirectory();
  const file = directory.file("known_hosts");
  await writeFile(file, `@revoked * ${key.text}\n`);
  const hosts = await readKnownHosts([file]);
  expect(hosts.lookup(knownHostsName(box)).revoked).toHaveLength(1);
});

test("a file that cannot be read is an error, and never an empty one", async () => {
  await using directory = await temporaryDirectory();
  const folder = directory.file("folder");
  await mkdir(folder);
  await expect(readKnownHosts([folder])).rejects.toMatchObject({
    code: "INVALID_SSH_CONFIG",
    details: { file: folder },
  });
});

test.skipIf(process.getuid?.() === 0 || process.platform === "win32")(
  "a file without the right to read it is an error (root may read all)",
  async () => {
    await using directory = await temporaryDirectory();
    const file = directory.file("known_hosts");
    await writeFile(file, `box ${key.text}\n`);
    await chmod(file, 0o000);
    await expect(readKnownHosts([file])).rejects.toMatchObject({
      code: "INVALID_SSH_CONFIG",
      details: { file },
    });
  },
);

test("a host that only an authority vouches for is told apart, before it is asked", async () => {
  await using directory = await temporaryDirectory();
  const [own, system] = [directory.file("own"), directory.file("system")];
  const settings = { ...box, userKnownHostsFiles: [own], globalKnownHostsFiles: [system] };
  expect(await isKnownOnlyByAuthority(settings)).toBe(false);
  await writeFile(system, `@cert-authority *,!fox ${other.text}\n`);
  expect(await isKnownOnlyByAuthority(settings)).toBe(true);
  expect(await isKnownOnlyByAuthority({ ...settings, hostKeyAlias: "fox" })).toBe(false);
  await writeFile(own, `[box]:2222 ${key.text}\n`);
  expect(await isKnownOnlyByAuthority(settings)).toBe(false);
});

test("ten thousand hashed lines are searched in well under a second", async () => {
  await using directory = await temporaryDirectory();
  const file = directory.file("known_hosts");
  const lines = Array.from({ length: 10_000 }, (_, index) => {
    const salt = Buffer.alloc(20);
    salt.writeUInt32BE(index);
    return `${hashName(`[host-${index}]:2222`, salt)} ${key.text}\n`;
  });
  await writeFile(file, lines.join(""));
  const startedAt = process.cpuUsage();
  const hosts = await readKnownHosts([file]);
  const found = hosts.lookup(knownHostsName({ ...box, hostName: "HOST-9999" }));
  const { user, system } = process.cpuUsage(startedAt);
  expect(found.keys).toMatchObject([{ line: 10_000 }]);
  // CPU time: a busy machine does not add to it. Measured: about a tenth of this.
  expect((user + system) / 1_000).toBeLessThan(1_500);
});
