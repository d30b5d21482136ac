import fc from "fast-check";
import { expect, test } from "vitest";
import { ed25519Key, rsaKey } from "../../test/host-keys/support/test-keys.ts";
import type { TestKey } from "../../test/host-keys/support/test-keys.ts";
import type { TunnelError } from "../errors.ts";
import type { HostKeyPolicy, SshSettings } from "../settings/ssh-settings.ts";
import type { KnownHost, KnownKey } from "./known-hosts.ts";
import { decideHostKey } from "./verify-host-key.ts";
import type { HostKeyDecision, HostKeyQuestion } from "./verify-host-key.ts";

type Strictness = SshSettings["strictHostKeyChecking"];

const key = ed25519Key("host");
const other = ed25519Key("other");
const rsa = rsaKey("host");

const POLICIES: readonly [HostKeyPolicy, Strictness][] = [
  ["strict", "no"],
  ["accept-new", "yes"],
  ["openssh", "yes"],
  ["openssh", "ask"],
  ["openssh", "accept-new"],
  ["openssh", "no"],
  ["openssh", "off"],
];

test("a known key is accepted under every policy", () => {
  for (const policy of POLICIES) {
    expect(decide({ keys: [at(key)] }, policy)).toEqual({ kind: "accept" });
    expect(decide({ keys: [at(other), at(rsa), at(key)] }, policy)).toEqual({ kind: "accept" });
  }
});

test("a key that nobody knows is recorded only where the policy takes new ones", () => {
  const kinds = POLICIES.map((policy) => decide({}, policy).kind);
  const record = "accept-and-record";
  expect(kinds).toEqual(["refuse", record, "refuse", "refuse", record, record, record]);
});

test("an unknown key is named with its host, its fingerprint and the cure", () => {
  const error = refusal({}, ["strict", "yes"]);
  expect(error).toMatchObject({
    code: "HOST_KEY_UNKNOWN",
    final: true,
    message: `the host key of box is not known: ssh-ed25519 ${key.fingerprint}.`,
    details: { fingerprint: key.fingerprint, keyType: "ssh-ed25519" },
  });
  expect(error.hint).toContain("--accept-new");
  expect(error.hint).toContain("ssh_host_ed25519_key.pub");
});

test("a changed key is refused under every policy, with old and new and where the old one stands", () => {
  for (const policy of POLICIES) {
    const error = refusal({ keys: [at(rsa, 3), at(other, 7)] }, policy);
    expect(error).toMatchObject({
      code: "HOST_KEY_CHANGED",
      final: true,
      details: {
        fingerprint: key.fingerprint,
        expected: [rsa.fingerprint, other.fingerprint],
        file: "/home/me/known_hosts",
        line: 7,
      },
    });
    expect(error.message).toContain(key.fingerprint);
    expect(error.message).toContain(`${other.fingerprint} (/home/me/known_hosts:7)`);
    expect(error.hint).toContain("ssh-keygen -R 'box' -f '/home/me/known_hosts'");
  }
});

test("a host known by another type of key alone has changed", () => {
  for (const policy of POLICIES) {
    expect(refusal({ keys: [at(rsa)] }, policy).code).toBe("HOST_KEY_CHANGED");
  }
});

test("the command that removes an old key is safe to paste", () => {
  const name = "o'box\u001b[2J";
  const file = "/home/o'me/known hosts";
  const error = refusal({ keys: [{ ...at(other), file }] }, ["strict", "yes"], { name });
  expect(error.hint).toContain(
    String.raw`ssh-keygen -R 'o'\''box` +
      "\u{FFFD}[2J' -f " +
      String.raw`'/home/o'\''me/known hosts'`,
  );
  expect(`${error.message}${error.hint}`).not.toContain("\u001b");
});

test("a revoked key is refused under every policy, known or pinned though it may be", () => {
  for (const policy of POLICIES) {
    for (const pinnedFingerprint of [undefined, key.fingerprint]) {
      const known = { keys: [at(key)], revoked: [at(rsa), at(key, 9)] };
      expect(refusal(known, policy, { pinnedFingerprint })).toMatchObject({
        code: "HOST_KEY_REVOKED",
        final: true,
        details: { fingerprint: key.fingerprint, file: "/home/me/known_hosts", line: 9 },
      });
    }
  }
});

test("the revocation of another key means nothing", () => {
  expect(decide({ keys: [at(key)], revoked: [at(other)] }, ["strict", "yes"]).kind).toBe("accept");
});

test("a pinned key is the only one, whatever known_hosts says", () => {
  for (const policy of POLICIES) {
    const known = { keys: [at(key)] };
    const digits = key.fingerprint.slice("SHA256:".length);
    for (const pinnedFingerprint of [key.fingerprint, digits, `${digits}=`]) {
      expect(decide({ keys: [at(other)] }, policy, { pinnedFingerprint }).kind).toBe("accept");
      expect(decide({}, policy, { pinnedFingerprint }).kind).toBe("accept");
    }
    const error = refusal(known, policy, { pinnedFingerprint: other.fingerprint });
    expect(error).toMatchObject({
      code: "HOST_KEY_CHANGED",
      details: { fingerprint: key.fingerprint, expected: [other.fingerprint] },
    });
    expect(error.message).toContain(key.fingerprint);
    expect(error.message).toContain(other.fingerprint);
  }
});

test("under the bare name a key that fits is accepted, and one that does not says nothing", () => {
  const bare = (keys: readonly KnownKey[]): Partial<KnownHost> => ({
    withoutPort: { keys, authorities: [] },
  });
  expect(decide(bare([at(key)]), ["strict", "yes"]).kind).toBe("accept");
  expect(refusal(bare([at(other)]), ["strict", "yes"]).code).toBe("HOST_KEY_UNKNOWN");
  expect(decide(bare([at(other)]), ["accept-new", "yes"]).kind).toBe("accept-and-record");
  expect(refusal({ ...bare([at(key)]), keys: [at(other)] }, ["strict", "yes"]).code).toBe(
    "HOST_KEY_CHANGED",
  );
});

test("a new key is not accepted where it cannot be recorded, and the reason is named", () => {
  const withoutFile = refusal({}, ["accept-new", "yes"], { canRecord: false });
  expect(withoutFile.code).toBe("HOST_KEY_UNKNOWN");
  expect(withoutFile.message).toContain("no known_hosts file");
  expect(withoutFile.hint).not.toContain("--accept-new");
  const withPattern = refusal({}, ["openssh", "no"], { name: "*.box" });
  expect(withPattern.code).toBe("HOST_KEY_UNKNOWN");
  expect(withPattern.message).toContain("cannot hold that name");
  expect(refusal({}, ["strict", "yes"], { canRecord: false }).message).not.toContain("file");
});

test("no combination gets around a changed or a revoked key", () => {
  const keys = fc.subarray([at(key), at(other), at(rsa)]);
  fc.assert(
    fc.property(
      fc.record({ keys, revoked: keys, authorities: keys, bare: keys }),
      fc.constantFrom(...POLICIES),
      fc.option(fc.constantFrom(key.fingerprint, other.fingerprint), { nil: undefined }),
      (parts, policy, pinnedFingerprint) => {
        const known = { ...parts, withoutPort: { keys: parts.bare, authorities: [] } };
        const decision = decide(known, policy, { pinnedFingerprint });
        const code = decision.kind === "refuse" ? decision.error.code : undefined;
        const isKnown = (list: readonly KnownKey[]): boolean =>
          list.some(({ blob }) => blob.equals(key.blob));
        if (isKnown(parts.revoked)) expect(code).toBe("HOST_KEY_REVOKED");
        else if (pinnedFingerprint !== undefined) {
          expect(code).toBe(pinnedFingerprint === key.fingerprint ? undefined : "HOST_KEY_CHANGED");
        } else if (parts.keys.length > 0 && !isKnown(parts.keys)) {
          expect(code).toBe("HOST_KEY_CHANGED");
        } else {
          expect([undefined, "HOST_KEY_UNKNOWN"]).toContain(code);
        }
      },
    ),
  );
});

function decide(
  known: Partial<KnownHost>,
  [policy, strictHostKeyChecking]: readonly [HostKeyPolicy, Strictness],
  {
    name = "box",
    ...options
  }: Partial<Pick<HostKeyQuestion, "pinnedFingerprint" | "canRecord">> & { name?: string } = {},
): HostKeyDecision {
  return decideHostKey({
    shown: { name, type: key.type, blob: key.blob, fingerprint: key.fingerprint },
    known: {
      name: { display: name, withoutPort: undefined, principal: name },
      keys: [],
      authorities: [],
      revoked: [],
      withoutPort: { keys: [], authorities: [] },
      ...known,
    },
    policy,
    strictHostKeyChecking,
    ...options,
  });
}

function refusal(...question: Parameters<typeof decide>): TunnelError {
  const decision = decide(...question);
  if (decision.kind !== "refuse") throw new Error(`the key was taken: ${decision.kind}`);
  return decision.error;
}

function at({ type, blob, fingerprint }: TestKey, line = 1): KnownKey {
  return { type, blob, fingerprint, file: "/home/me/known_hosts", line };
}
