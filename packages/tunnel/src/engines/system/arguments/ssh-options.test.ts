import { expect, test } from "vitest";
import { keepaliveOptions, keyCheckingOf, quoteConfigPath, safeOptions } from "./ssh-options.ts";

const known = { version: { text: "", major: 9, minor: 2 }, connectTimeoutMs: 4_200 } as const;

test("without anybody to ask, ssh never asks", () => {
  const options = safeOptions({ ...known, mayAsk: false, keyChecking: "yes" });
  expect(options).toContainEqual(["BatchMode", "yes"]);
  expect(options).toContainEqual(["ConnectTimeout", "5"]);
});

test("host keys of the user's file are only updated where new ones are accepted", () => {
  const strict = safeOptions({ ...known, mayAsk: false, keyChecking: "yes" });
  expect(strict).toContainEqual(["StrictHostKeyChecking", "yes"]);
  expect(strict).toContainEqual(["UpdateHostKeys", "no"]);
  const accepting = safeOptions({ ...known, mayAsk: false, keyChecking: "accept-new" });
  expect(accepting).toContainEqual(["StrictHostKeyChecking", "accept-new"]);
  expect(accepting).toContainEqual(["UpdateHostKeys", "yes"]);
});

test("an option that older releases do not know is not given to them", () => {
  const names = (minor: number): string[] =>
    safeOptions({
      ...known,
      version: { text: "", major: 8, minor },
      mayAsk: false,
      keyChecking: "yes",
    }).map(([name]) => name);
  expect(names(7)).toContain("ForkAfterAuthentication");
  expect(names(6)).not.toContain("ForkAfterAuthentication");
});

test.each([
  ["strict", "no", false, "yes"],
  ["accept-new", "yes", false, "accept-new"],
  ["accept-new", "yes", true, "yes"],
  ["openssh", "yes", false, "yes"],
  ["openssh", "ask", false, "yes"],
  ["openssh", "accept-new", false, "accept-new"],
  ["openssh", "no", false, "accept-new"],
  ["openssh", "off", true, "yes"],
] as const)(
  "under the policy %s and StrictHostKeyChecking %s, known %s, ssh checks keys with %s",
  (policy, strictHostKeyChecking, isKnown, expected) => {
    expect(keyCheckingOf(policy, { strictHostKeyChecking }, isKnown)).toBe(expected);
  },
);

test.each([
  [15_000, 3, "11", "3"],
  [1_500, 2, "1", "2"],
  [100, 1, "1", "1"],
  [60_000, 1, "30", "1"],
])("%d ms × %d are %s seconds × %s and one more", (intervalMs, countMax, interval, count) => {
  expect(keepaliveOptions(intervalMs, countMax)).toEqual([
    ["ServerAliveInterval", interval],
    ["ServerAliveCountMax", count],
  ]);
});

test("no keepalive is no keepalive, whatever the config says", () => {
  expect(keepaliveOptions(0, 3)).toEqual([["ServerAliveInterval", "0"]]);
});

test.each([
  ["/home/me/.ssh/known_hosts", "/home/me/.ssh/known_hosts"],
  ["/home/100%/hosts", "/home/100%%/hosts"],
  ["/my files/hosts", '"/my files/hosts"'],
  ['/a "b" \\c', String.raw`"/a \"b\" \\c"`],
])("the path %s is written as %s", (path, written) => {
  expect(quoteConfigPath(path)).toBe(written);
});
