import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { expect, test } from "vitest";
import { expand, expandHome, expandVariables, tokensOf, type ConnectionFacts } from "./tokens.ts";

const facts: ConnectionFacts = {
  localUser: { name: "me", uid: 501, home: "/home/me" },
  originalHost: "alias",
  hostName: "real.example.org",
  hostKeyAlias: undefined,
  port: 2222,
  user: "them",
  jumpHost: undefined,
  connectionHash: undefined,
};

test("every token of ssh_config stands for what it says there", () => {
  const all = "%% %d %h %i %j %k %L %l %n %p %r %u";
  const short = hostname().split(".")[0];
  expect(expand(all, tokensOf({ ...facts, jumpHost: "hop" }))).toBe(
    `% /home/me real.example.org 501 hop alias ${short} ${hostname()} alias 2222 them me`,
  );
});

test("%k is the alias of the host key where there is one", () => {
  expect(expand("%k", tokensOf({ ...facts, hostKeyAlias: "known" }))).toBe("known");
});

test("%C is what ssh has told, else the hash that ssh would compute", () => {
  const hash = createHash("sha1").update(`${hostname()}real.example.org2222them`).digest("hex");
  expect(expand("%C", tokensOf(facts))).toBe(hash);
  expect(expand("%C", tokensOf({ ...facts, connectionHash: "abc" }))).toBe("abc");
});

test.each(["%x", "%T", "%f", "%", "a%"])("the token in %j is refused", (text) => {
  expect(() => expand(text, tokensOf(facts))).toThrow(
    expect.objectContaining({ code: "INVALID_SSH_CONFIG" }),
  );
});

test("what a variable holds is not read for tokens again", () => {
  const env = { DIR: "/100%h/${DIR}" };
  expect(expand("${DIR}/%n", tokensOf(facts), env)).toBe("/100%h/${DIR}/alias");
});

test("a variable that is not set, or has no end, is an error", () => {
  const refused = expect.objectContaining({ code: "INVALID_SSH_CONFIG" });
  expect(() => expand("${NONE}", tokensOf(facts), {})).toThrow(refused);
  expect(() => expand("${NONE", tokensOf(facts), { NONE: "x" })).toThrow(refused);
  expect(() => expandVariables("/${NONE}/x", {})).toThrow(refused);
  expect(expandVariables("%h/${A}${B}", { A: "1", B: "" })).toBe("%h/1");
});

test("without an environment, variables stay as they are", () => {
  expect(expand("${HOME}/%r", tokensOf(facts))).toBe("${HOME}/them");
});

test("a leading ~ is a home directory, any other is a name", () => {
  expect(expandHome("~/.ssh/key", "/home/me")).toBe("/home/me/.ssh/key");
  expect(expandHome("~", "/home/me")).toBe("/home/me");
  expect(expandHome("/tmp/~/key", "/home/me")).toBe("/tmp/~/key");
  expect(() => expandHome("~nobody-of-this-name/x", "/home/me")).toThrow(
    expect.objectContaining({ code: "INVALID_SSH_CONFIG" }),
  );
});
