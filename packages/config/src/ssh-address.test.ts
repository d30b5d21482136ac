import fc from "fast-check";
import { expect, test } from "vitest";
import { formatSshAddress, parseSshAddress, sshEndpointKey } from "./ssh-address.ts";

// A night runs a million: OPENCLAW_FUZZ_RUNS.
const numRuns = Number(process.env["OPENCLAW_FUZZ_RUNS"] ?? 10_000);

test.each([
  ["box", { host: "box" }],
  ["  ssh me@box ", { host: "box", user: "me" }],
  ["sshbox", { host: "sshbox" }],
  ["me@box:2222", { host: "box", user: "me", port: 2222 }],
  ["@box", { host: "box" }],
  ["me@192.168.1.5", { host: "192.168.1.5", user: "me" }],
  ["::1", { host: "::1" }],
  ["me@[2001:db8::1]:22", { host: "2001:db8::1", user: "me", port: 22 }],
  ["fe80::1%eth0", { host: "fe80::1%eth0" }],
  ["ssh://box", { host: "box" }],
  ["SSH://me@box:2222/18790", { host: "box", user: "me", port: 2222, remotePort: 18_790 }],
  ["ssh://box/", { host: "box" }],
  ["ssh://[::1]/18789/", { host: "::1", remotePort: 18_789 }],
])("%j is understood", (text, address) => {
  expect(parseSshAddress(text)).toEqual({ ok: true, address });
});

test.each([
  ["", "no host"],
  ["ssh://", "no host"],
  ["me@", "no host"],
  ["-oProxyCommand=x", '"-"'],
  ["-l@box", '"-"'],
  ["me@-box", '"-"'],
  ["me:secret@box", "password"],
  ["box box", "white space"],
  ["bo\u0007x", "control character"],
  ["%h", '"%"'],
  ["me@box;reboot", "no name"],
  ["me@you@box", "no name"],
  ["box/18789", "no name"],
  ["box:0", "port"],
  ["box:65536", "port"],
  ["box:", "port"],
  ["a:b:c", "fit together"],
  ["[box]:22", "fit together"],
  ["ssh://box/x", "port"],
  ["ssh://box/18789?a", "port"],
])("%j is refused: %s", (text, fault) => {
  const parsed = parseSshAddress(text);
  expect(parsed).toEqual({ ok: false, fault: expect.stringContaining(fault) });
  expect(JSON.stringify(parsed)).not.toContain("secret");
});

test("a formatted address is read back as itself", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9._-]{0,8}$/u);
  const host = fc.oneof(name, fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(
      host,
      fc.option(name),
      fc.option(fc.integer({ min: 1, max: 65_535 })),
      (h, u, p) => {
        const address = {
          host: h,
          ...(u === null ? {} : { user: u }),
          ...(p === null ? {} : { port: p }),
        };
        expect(parseSshAddress(formatSshAddress(address))).toEqual({ ok: true, address });
        expect(parseSshAddress(sshEndpointKey(address, 1))).toEqual({
          ok: true,
          address: { ...address, remotePort: 1 },
        });
      },
    ),
  );
});

test("no text makes an address that a program could take for an option or for two words", () => {
  const piece = fc.oneof(
    fc.constantFrom("ssh://", "@", ":", "[", "]", "/", "%", "-", "22", "::1", "me", "box", "?"),
    fc.string({ maxLength: 4 }),
  );
  const addressish = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(fc.oneof(addressish, fc.string({ unit: "binary" })), (text) => {
      const parsed = parseSshAddress(text);
      if (!parsed.ok) return;
      const { host, user = "" } = parsed.address;
      for (const word of [host, user, formatSshAddress(parsed.address)]) {
        expect(word).not.toMatch(/^-|[\s\p{Cc}]/u);
      }
    }),
    { numRuns },
  );
});
