import { describe, expect, test } from "vitest";
import { defaultAlgorithms, knownIdentityDefaults } from "./openssh-defaults.ts";
import { needsBaseline, parsePrintedLines, printedConfig } from "./printed-config.ts";

const usual = [
  "host box",
  "hostname box",
  "port 22",
  ...Object.entries(defaultAlgorithms).map(([name, [list]]) => `${name} ${list?.join(",")}`),
];
const defaults = (knownIdentityDefaults[0] ?? []).map((file) => `identityfile ${file}`);
const read = (...lines: readonly string[]): ReturnType<typeof printedConfig> =>
  printedConfig(parsePrintedLines([...usual, ...lines].join("\n")), {
    baseline: undefined,
    wantsGssapi: false,
  });

describe("whether identity files are the user's own", () => {
  test("is told from the defaults of a known release, without a second question", () => {
    for (const files of knownIdentityDefaults) {
      const lines = files.map((file) => `identityfile ${file}`);
      expect(needsBaseline(parsePrintedLines([...usual, ...lines].join("\n")))).toBe(false);
      expect(read(...lines).values.has("identityfile")).toBe(false);
      expect(read(...lines).defaultIdentityFiles).toEqual(files);
    }
  });

  test("is clear when they are few or have other names", () => {
    for (const files of [
      ["~/.ssh/id_rsa"],
      ["~/.ssh/id_rsa", "~/.ssh/id_ed25519"],
      ["/k", "/l", "/m"],
    ]) {
      const lines = files.map((file) => `identityfile ${file}`);
      expect(needsBaseline(parsePrintedLines([...usual, ...lines].join("\n")))).toBe(false);
      expect(read(...lines).values.get("identityfile")).toEqual(files);
    }
  });

  test("is asked of the program when the list could be that of another release", () => {
    const lines = ["rsa", "ed25519", "mldsa"].map((type) => `identityfile ~/.ssh/id_${type}`);
    const printed = parsePrintedLines([...usual, ...lines].join("\n"));
    expect(needsBaseline(printed)).toBe(true);
    const same = printedConfig(printed, { baseline: printed, wantsGssapi: false });
    expect(same.values.has("identityfile")).toBe(false);
    const other = parsePrintedLines([...usual, ...defaults].join("\n"));
    const own = printedConfig(printed, { baseline: other, wantsGssapi: false });
    expect(own.values.get("identityfile")).toHaveLength(3);
  });
});

test("a list of algorithms that nobody set is not there", () => {
  expect(read().values.has("ciphers")).toBe(false);
  const printed = parsePrintedLines(["hostname box", "ciphers odd-cipher"].join("\n"));
  expect(needsBaseline(printed)).toBe(true);
  const alone = printedConfig(printed, { baseline: undefined, wantsGssapi: false });
  expect(alone.values.get("ciphers")).toEqual(["odd-cipher"]);
  const compared = printedConfig(printed, { baseline: printed, wantsGssapi: false });
  expect(compared.values.has("ciphers")).toBe(false);
});

test("files with spaces in their names are told apart", () => {
  const { values } = read(
    "userknownhostsfile /home/me/my hosts/kh ~/kh2  x C:\\Users\\me\\kh",
    "globalknownhostsfile __PROGRAMDATA__\\ssh/ssh_known_hosts /etc/kh",
  );
  expect(values.get("userknownhostsfile")).toEqual([
    "/home/me/my hosts/kh",
    "~/kh2  x",
    "C:\\Users\\me\\kh",
  ]);
  expect(values.get("globalknownhostsfile")).toEqual([
    "__PROGRAMDATA__\\ssh/ssh_known_hosts",
    "/etc/kh",
  ]);
});

test("a forward to a socket, which ssh prints as a dynamic one too, is none", () => {
  const forwarded = ["dynamicforward 3", "localforward 3 /run/foo"];
  expect(read(...forwarded).values.has("dynamicforward")).toBe(false);
  const both = read(...forwarded, "dynamicforward 1080");
  expect(both.values.get("dynamicforward")).toEqual(["1080"]);
});
