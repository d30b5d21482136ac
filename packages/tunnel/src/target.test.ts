import fc from "fast-check";
import { expect, test } from "vitest";
import { formatSshTarget, formatSshUrl, isSshUrl, parseSshTarget } from "./target.ts";

// A night runs a million: OPENCLAW_FUZZ_RUNS.
const numRuns = Number(process.env["OPENCLAW_FUZZ_RUNS"] ?? 10_000);

test.each([
  ["box", { host: "box" }],
  ["me@box", { user: "me", host: "box" }],
  ["me@box:2222", { user: "me", host: "box", port: 2222 }],
  ["  ssh me@box ", { user: "me", host: "box" }],
  ["ssh user@h", { user: "user", host: "h" }],
  ["sshhost", { host: "sshhost" }],
  ["ssh-box:22", { host: "ssh-box", port: 22 }],
  ["@box", { host: "box" }],
  ["clawdbot-remote", { host: "clawdbot-remote" }],
  ["::1", { host: "::1" }],
  ["me@fe80::1%eth0", { user: "me", host: "fe80::1%eth0" }],
  ["[2001:db8::7]:2200", { host: "2001:db8::7", port: 2200 }],
  ["ssh://box", { host: "box" }],
  ["ssh://me@box:2222/18790", { user: "me", host: "box", port: 2222, remotePort: 18_790 }],
  ["SSH://me@[::1]:22/", { user: "me", host: "::1", port: 22 }],
  ["ssh://box/18789/", { host: "box", remotePort: 18_789 }],
])("%s", (text, expected) => {
  expect(parseSshTarget(text)).toEqual(expected);
});

test.each([
  ["", "names no host"],
  ["me@", "names no host"],
  ["-oProxyCommand=id", "begins with"],
  ["-l@box", "begins with"],
  ["me@-box", "begins with"],
  ["ssh://-oProxyCommand=id/", "begins with"],
  ["a b", "white space"],
  ["me@bo\tx", "white space"],
  ["box\u0000", "control character"],
  ["box\u202eevil", "control character"],
  ["%h", "%"],
  ["me%r@box", "%"],
  ["box:0", "port"],
  ["box:70000", "port"],
  ["box:22x", "port"],
  ["box: 22", "port"],
  ["a:b:c", "port"],
  ["[box]:22", "brackets"],
  ["me:secret@box", "password"],
  ["me@box@evil", "no name"],
  ["box;id", "no name"],
  ["$(id)", "no name"],
  ["ssh://box/x", "port"],
  ["ssh://box/1/2", "port"],
  ["ssh://box?x=1", "query"],
  ["#", "no name"],
  ["[box", "no name"],
  ["me/you@box", "user"],
  ["me#1@box", "user"],
])("refuses %j", (text, reason) => {
  expect(() => parseSshTarget(text)).toThrow(
    expect.objectContaining({ code: "INVALID_TARGET", message: expect.stringContaining(reason) }),
  );
});

test("a password in a target is not repeated in the message", () => {
  expect(() => parseSshTarget("ssh://me:hunter2@box")).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining("hunter2") }),
  );
});

/** Pieces that targets are made of, in any order. */
const targetish = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "ssh://",
        "@",
        ":",
        "[",
        "]",
        "/",
        "%",
        "-",
        "22",
        "::1",
        "me",
        "box",
        "?",
        "#",
      ),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 10 },
  )
  .map((pieces) => pieces.join(""));

test("what is accepted is safe in an argument list, and reads back as itself", () => {
  fc.assert(
    fc.property(fc.oneof(targetish, fc.string({ unit: "binary" }), fc.webUrl()), (text) => {
      let target;
      try {
        target = parseSshTarget(text);
      } catch (error) {
        expect(error).toMatchObject({ code: "INVALID_TARGET" });
        return;
      }
      expect(target.host).not.toMatch(/^-|[\s\p{C}]/u);
      expect(target.user ?? "").not.toMatch(/^-|[\s\p{C}%]/u);
      const { remotePort: _, ...address } = target;
      expect(parseSshTarget(formatSshTarget(target))).toEqual(address);
      expect(parseSshTarget(formatSshUrl(target))).toEqual(target);
      expect(isSshUrl(formatSshUrl(target))).toBe(true);
    }),
    { numRuns },
  );
});
