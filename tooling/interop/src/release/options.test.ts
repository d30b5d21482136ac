import { expect, test } from "vitest";
import { DEFAULT_RELEASE, parseInteropOptions } from "./options.ts";

test("both halves against the default release, unless told otherwise", () => {
  expect(parseInteropOptions([])).toEqual({
    halves: ["ours", "theirs"],
    jsonPath: undefined,
    release: DEFAULT_RELEASE,
    cliPath: undefined,
  });
  expect(
    parseInteropOptions(["--only", "theirs", "--json", "-", "--release", "2026.9.7-beta.1"]),
  ).toMatchObject({ halves: ["theirs"], jsonPath: "-", release: "2026.9.7-beta.1" });
  expect(parseInteropOptions(["--help"])).toBeUndefined();
});

test.each([
  [["--only", "both"], "--only is ours or theirs, not both"],
  [["--release", "latest"], "--release wants an exact version"],
  [["--quick"], "--quick"],
])("refuses %j", (argv, message) => {
  expect(() => parseInteropOptions(argv)).toThrow(message);
});
