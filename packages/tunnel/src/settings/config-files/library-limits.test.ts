import { parse } from "ssh-config";
import { describe, expect, test } from "vitest";
import { configLines, type ConfigLine } from "./config-lines.ts";

const ours = (text: string): readonly ConfigLine[] => [...configLines(parse, "/config", text)];
const theirs = (text: string, host = "box"): Record<string, unknown> =>
  parse(text).compute(host, { ignoreCase: true, matchExec: false });

describe("what the library ssh-config computes is not what ssh computes", () => {
  test("a # inside of a word is no comment", () => {
    expect(theirs("IdentityFile /keys/a#b\n")).toMatchObject({ identityfile: ["/keys/a"] });
    expect(ours("IdentityFile /keys/a#b\n")[0]?.words).toEqual(["/keys/a#b"]);
  });

  test("single quotes and quotes inside of a word hold it together", () => {
    expect(theirs("User 'a b'\n")).toMatchObject({ user: "'a b'" });
    expect(ours("User 'a b'\n")[0]?.words).toEqual(["a b"]);
    expect(theirs('User a"b c"\n')).toMatchObject({ user: 'a"b c"' });
    expect(ours('User a"b c"\n')[0]?.words).toEqual(["ab c"]);
  });

  test("? is exactly one character", () => {
    expect(theirs("Host box?\n  User a\n")).toMatchObject({ user: "a" });
  });

  test("a criterion may be negated, and may be there twice", () => {
    expect(theirs("Match !host other\n  User a\n")).not.toHaveProperty("user");
    expect(theirs("Match host nothing host b*\n  User a\n")).toMatchObject({ user: "a" });
  });

  test("a keyword without a value does not take the next line for a part of it", () => {
    expect(theirs("User\nPort 22\n")).not.toHaveProperty("port");
    expect(() => ours("User\nPort 22\n")).toThrow(
      expect.objectContaining({ details: { file: "/config", line: 1 } }),
    );
  });

  test("criteria that take no value are taken without one when they are negated", () => {
    expect(() => parse("Match !all\n")).toThrow("Missing value");
    expect(ours("Match !all\n")[0]).toMatchObject({ keyword: "match", rest: "!all" });
  });
});

test("lines keep their numbers, and only those that say something are there", () => {
  const text = '# one\n\n  Host  a b # c\r\n\t"user"=x\n   \nProxyCommand = nc "%h" # %p\n';
  expect(ours(text)).toEqual([
    {
      file: "/config",
      line: 3,
      name: "Host",
      keyword: "host",
      words: ["a", "b"],
      rest: "a b # c",
    },
    { file: "/config", line: 4, name: "user", keyword: "user", words: ["x"], rest: "x" },
    {
      file: "/config",
      line: 6,
      name: "ProxyCommand",
      keyword: "proxycommand",
      words: ["nc", "%h"],
      rest: 'nc "%h" # %p',
    },
  ]);
});

test.each(['User "a', "Host 'a", "Match host", "Port =", "Host"])(
  "the line %j is refused with its number",
  (text) => {
    expect(() => ours(`\n${text}\n`)).toThrow(
      expect.objectContaining({
        code: "INVALID_SSH_CONFIG",
        details: { file: "/config", line: 2 },
      }),
    );
  },
);
