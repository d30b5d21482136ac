import fc from "fast-check";
import { expect, test } from "vitest";
import { ed25519Key, rsaKey } from "../../test/host-keys/support/test-keys.ts";
import { hashName, parseKnownHostsLine } from "./known-hosts-line.ts";
import { asciiLowerCase } from "./known-hosts-name.ts";

const key = ed25519Key("host");
const rsa = rsaKey("host");

/** Whether a line is about a host; undefined where it is no entry. */
function isAbout(line: string, name: string): boolean | undefined {
  const parsed = parseKnownHostsLine(line);
  return parsed.kind === "entry" ? parsed.line.names(name) : undefined;
}

test.each([
  `box ${key.text}`,
  `box ${key.text} me@laptop # since May`,
  ` \t box \t ${key.text.replace(" ", "\t")}`,
  `box ${key.text}\r`,
  `box ${key.text} me@laptop\r`,
  `box ${key.text}\0 what C does not see`,
  `a,box,b ${key.text}`,
  `,,BOX,, ${key.text}`,
])("%j has names, a type, a key, and whatever follows is a comment", (line) => {
  expect(parseKnownHostsLine(line)).toMatchObject({
    kind: "entry",
    line: { marker: "none", type: "ssh-ed25519", blob: key.blob },
  });
  expect(isAbout(line, "box")).toBe(true);
  expect(isAbout(line, "bo")).toBe(false);
});

test("a byte order mark is a part of the first name, as for OpenSSH", () => {
  expect(isAbout(`\u00ef\u00bb\u00bfbox ${key.text}`, "box")).toBe(false);
});

test("a marker stands in front of the names", () => {
  expect(parseKnownHostsLine(`@cert-authority *.box ${key.text}`)).toMatchObject({
    line: { marker: "cert-authority" },
  });
  expect(parseKnownHostsLine(`@revoked * ${key.text}`)).toMatchObject({
    line: { marker: "revoked" },
  });
});

test("a mark of revocation counts also where OpenSSH trips over a tab behind it", () => {
  expect(parseKnownHostsLine(`@revoked\t* ${key.text}`)).toMatchObject({
    line: { marker: "revoked" },
  });
});

test("a type that says how an RSA key signs is taken for its type", () => {
  expect(parseKnownHostsLine(`box ${rsa.text.replace("ssh-rsa", "rsa-sha2-512")}`)).toMatchObject({
    line: { type: "ssh-rsa", blob: rsa.blob },
  });
});

test.each(["", "   ", "\t", "# a comment", "  # another", "#box ssh-ed25519 AAAA", "\r"])(
  "%j is blank",
  (line) => {
    expect(parseKnownHostsLine(line)).toEqual({ kind: "blank" });
  },
);

test.each([
  ["names alone", "box"],
  ["no key", "box ssh-ed25519"],
  ["a comment instead of a key", "box # ssh-ed25519 AAAA"],
  ["two markers", `@cert-authority @revoked box ${key.text}`],
  ["an unknown marker", `@trusted box ${key.text}`],
  ["a marker alone", "@revoked"],
  ["a broken hashed name", `|1|abc|def ${key.text}`],
  ["a hashed name among others", `${hashName("box", Buffer.alloc(20))},box ${key.text}`],
  ["a key of protocol 1", "box 1024 35 1234567890"],
  ["an unknown type", `box ${key.text.replace("ed25519", "ed448")}`],
  ["a type in upper case", `box ${key.text.replace("ssh", "SSH")}`],
  ["another type than the key has", `box ${key.text.replace("ssh-ed25519", "ssh-rsa")}`],
  ["characters that are not base64", `box ${key.text.slice(0, -1)}!`],
  ["bits that belong to no byte", `box ${rsa.text.replace(/.==$/u, "B==")}`],
  ["missing padding", `box ${rsa.text.slice(0, -1)}`],
  ["a comment that sticks to the key", `box ${key.text}#c`],
  ["a key with a byte too many", `box ssh-ed25519 ${more(key.blob)}`],
  ["a key with a byte too few", `box ssh-ed25519 ${key.blob.subarray(0, -1).toString("base64")}`],
])("a line with %s is malformed", (_fault, line) => {
  expect(parseKnownHostsLine(line).kind).toBe("malformed");
});

test("a negated pattern excludes a host, wherever it stands", () => {
  expect(isAbout(`*,!box ${key.text}`, "box")).toBe(false);
  expect(isAbout(`!box,* ${key.text}`, "box")).toBe(false);
  expect(isAbout(`*,!box ${key.text}`, "fox")).toBe(true);
  expect(isAbout(`!box ${key.text}`, "fox")).toBe(false);
  expect(isAbout(`*,!!box ${key.text}`, "box")).toBe(true);
});

test("patterns reach over ports and brackets", () => {
  expect(isAbout(`* ${key.text}`, "[box]:2222")).toBe(true);
  expect(isAbout(`[*]:* ${key.text}`, "[box]:2222")).toBe(true);
  expect(isAbout(`[*.Example]:22?? ${key.text}`, "[a.example]:2222")).toBe(true);
  expect(isAbout(`[box]:22 ${key.text}`, "box")).toBe(false);
});

test("a pattern that OpenSSH finds too long matches nothing", () => {
  expect(isAbout(`${"*".repeat(1022)} ${key.text}`, "box")).toBe(true);
  expect(isAbout(`box,${"*".repeat(1023)} ${key.text}`, "box")).toBe(false);
});

test("a hashed name is found by its hash alone", () => {
  // Written by ssh-keygen -H.
  const names = "|1|q2vOuduBjrUGxflmkCadFId3loI=|qtsl4qkkhAd7UbaIzAfIG/mulWo=";
  expect(isAbout(`${names} ${key.text}`, "box")).toBe(true);
  expect(isAbout(`${names} ${key.text}`, "fox")).toBe(false);
  const salt = Buffer.from("q2vOuduBjrUGxflmkCadFId3loI=", "base64");
  expect(hashName("box", salt)).toBe(names);
});

test("lists of patterns match as a naive model says", () => {
  const letters = fc.constantFrom("a", "b", ".", "*", "?", "!", "A");
  const pattern = fc.array(letters, { maxLength: 6 }).map((all) => all.join(""));
  const name = fc
    .array(fc.constantFrom("a", "b", "."), { maxLength: 7 })
    .map((all) => all.join(""));
  fc.assert(
    fc.property(fc.array(pattern, { minLength: 1, maxLength: 4 }), name, (patterns, name) => {
      const names = patterns.join(",");
      fc.pre(names !== "");
      expect(isAbout(`${names} ${key.text}`, name)).toBe(naiveList(name, patterns));
    }),
    { numRuns: 2_000 },
  );
});

test("no bytes make it throw", () => {
  const anything = fc
    .uint8Array({ maxLength: 300 })
    .map((all) => Buffer.from(all).toString("latin1"));
  const pieces = fc.constantFrom(
    "@revoked",
    "@cert-authority",
    "|1|",
    "box",
    "*",
    " ",
    "\t",
    "\0",
    "\r",
    "ssh-ed25519",
    "ssh-rsa",
    "AAAA",
    key.text,
    rsa.text,
    hashName("box", Buffer.alloc(20)),
  );
  const shuffled = fc
    .array(fc.oneof(pieces, anything), { maxLength: 8 })
    .map((all) => all.join(""));
  fc.assert(
    fc.property(fc.oneof(anything, shuffled), fc.string(), (line, name) => {
      const parsed = parseKnownHostsLine(line);
      if (parsed.kind === "entry") expect(typeof parsed.line.names(name)).toBe("boolean");
      else expect(["blank", "malformed"]).toContain(parsed.kind);
    }),
    { numRuns: 2_000 },
  );
});

function more(blob: Buffer): string {
  return Buffer.concat([blob, Buffer.of(0)]).toString("base64");
}

function naiveList(name: string, patterns: readonly string[]): boolean {
  let matched = false;
  for (const each of patterns) {
    const isNegated = each.startsWith("!");
    const pattern = asciiLowerCase(isNegated ? each.slice(1) : each);
    if (!naiveMatch(name, pattern)) continue;
    if (isNegated) return false;
    matched = true;
  }
  return matched;
}

function naiveMatch(name: string, pattern: string): boolean {
  if (pattern === "") return name === "";
  const [first] = pattern;
  const rest = pattern.slice(1);
  if (first === "*") {
    return naiveMatch(name, rest) || (name !== "" && naiveMatch(name.slice(1), pattern));
  }
  return name !== "" && (first === "?" || first === name[0]) && naiveMatch(name.slice(1), rest);
}
