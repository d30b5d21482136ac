import { execFile, spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { temporaryDirectory } from "@openclaw/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashName } from "../../src/host-keys/known-hosts-line.ts";
import { readKnownHosts } from "../../src/host-keys/known-hosts.ts";
import { ed25519Key, rsaKey } from "./support/test-keys.ts";

const hasSshKeygen = spawnSync("ssh-keygen", ["-?"]).error === undefined;

const keys = [ed25519Key("one"), ed25519Key("two"), rsaKey("one")].map(({ text }) => text);
const key = fc.constantFrom(...keys);
const name = fc.constantFrom(
  "a",
  "b",
  "a.box",
  "b.box",
  "[a.box]:2222",
  "[b]:22",
  "10.0.0.7",
  "::1",
);
const pattern = fc.oneof(
  name,
  name.map((text) => text.toUpperCase()),
  name.map((text) => `!${text}`),
  fc.constantFrom("*", "?", "!*", "*.box", "?.b*", "[*]:*", "[*]:22??", "!b*", "10.*", "", "!!a"),
);
const plainNames = fc.array(pattern, { minLength: 1, maxLength: 4 }).map((all) => all.join(","));
const salt = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes));
const hashedName = fc.tuple(name, salt).map(([name, salt]) => hashName(name, salt));
const blanks = fc.constantFrom(" ", "\t", "  ", " \t");
const marker = fc.constantFrom("", "", "", "@revoked ", "@cert-authority ", "@odd ");
const comment = fc.constantFrom("", " me@laptop", "\r", " note\r", "  # x y", "#glued");
const entry = fc
  .tuple(marker, fc.oneof(plainNames, hashedName), blanks, key, comment)
  .map((parts) => parts.join(""));
const oddity = fc.constantFrom(
  "",
  "# comment",
  "  \t",
  "a.box",
  "* ssh-ed25519",
  "* ssh-ed25519 AAAA",
  `* ssh-rsa ${keys[0]?.split(" ")[1]}`,
  "* 1024 35 1234567890",
  "|1|broken|name ssh-ed25519 AAAA",
);
const file = fc.array(fc.oneof({ arbitrary: entry, weight: 5 }, oddity), { maxLength: 12 });

describe.skipIf(!hasSshKeygen)("beside ssh-keygen -F (Debian package openssh-client)", () => {
  test("the same lines are found, with the same marks and the same keys", async () => {
    await using directory = await temporaryDirectory();
    const path = directory.file("known_hosts");
    await fc.assert(
      fc.asyncProperty(
        file,
        fc.uniqueArray(name, { minLength: 1, maxLength: 2 }),
        async (lines, names) => {
          await writeFile(path, lines.join("\n"));
          const hosts = await readKnownHosts([path]);
          for (const display of names) {
            const found = hosts.lookup({ display, withoutPort: undefined, principal: display });
            const ours = [
              ...found.keys.map((one) => ({ ...one, mark: "" })),
              ...found.authorities.map((one) => ({ ...one, mark: "CA" })),
              ...found.revoked.map((one) => ({ ...one, mark: "REVOKED" })),
            ]
              .map(({ line, mark, fingerprint }) => `${line} ${mark} ${fingerprint}`)
              .sort();
            expect(ours).toEqual((await findWithSshKeygen(path, display)).sort());
          }
        },
      ),
      { numRuns: 120 },
    );
  });
});

/** `line mark fingerprint` of each line that ssh-keygen finds and can read the key of. */
async function findWithSshKeygen(path: string, name: string): Promise<string[]> {
  const output = await new Promise<string>((resolve, reject) => {
    execFile("ssh-keygen", ["-l", "-F", name, "-f", path], (error, stdout) => {
      // 1 is how it says that it has found nothing.
      if (error !== null && error.code !== 1) reject(error);
      else resolve(stdout);
    });
  });
  const found = /^# Host .* found: line (\d+) ?(\w*)\s*\n(?!#)\S+ \S+ (SHA256:\S+)/gmu;
  return [...output.matchAll(found)].map(([, line, mark, print]) => `${line} ${mark} ${print}`);
}
