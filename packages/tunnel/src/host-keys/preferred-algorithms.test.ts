import fc from "fast-check";
import { expect, test } from "vitest";
import { ed25519Key, rsaKey } from "../../test/host-keys/support/test-keys.ts";
import type { KnownHost, KnownKey } from "./known-hosts.ts";
import { orderHostKeyAlgorithms } from "./preferred-algorithms.ts";

const ed25519 = knownKey("ssh-ed25519");
const rsa: KnownKey = { ...rsaKey("host"), file: "/kh", line: 2 };
const ecdsa = knownKey("ecdsa-sha2-nistp384");
const securityKey = knownKey("sk-ssh-ed25519@openssh.com");

const offered = [
  "ssh-ed25519-cert-v01@openssh.com",
  "rsa-sha2-512-cert-v01@openssh.com",
  "sk-ssh-ed25519-cert-v01@openssh.com",
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "sk-ssh-ed25519@openssh.com",
  "rsa-sha2-512",
  "rsa-sha2-256",
  "ssh-rsa",
];

test("an order stays as it is when nothing is known, or a key of the best kind is", () => {
  expect(orderHostKeyAlgorithms(known({}), offered)).toEqual(offered);
  expect(orderHostKeyAlgorithms(known({ keys: [rsa, ed25519] }), offered)).toEqual(offered);
  expect(orderHostKeyAlgorithms(known({ keys: [rsa] }), [])).toEqual([]);
});

test("a host known by an RSA key is asked for it, by every way to sign with it", () => {
  expect(orderHostKeyAlgorithms(known({ keys: [rsa] }), offered)).toEqual([
    "rsa-sha2-512-cert-v01@openssh.com",
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-rsa",
    "ssh-ed25519-cert-v01@openssh.com",
    "sk-ssh-ed25519-cert-v01@openssh.com",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "sk-ssh-ed25519@openssh.com",
  ]);
});

test("curves are told apart, and security keys from plain ones", () => {
  expect(orderHostKeyAlgorithms(known({ keys: [ecdsa] }), offered)[0]).toBe("ecdsa-sha2-nistp384");
  expect(orderHostKeyAlgorithms(known({ keys: [securityKey] }), offered).slice(0, 2)).toEqual([
    "sk-ssh-ed25519-cert-v01@openssh.com",
    "sk-ssh-ed25519@openssh.com",
  ]);
});

test("a known authority puts all certificates first", () => {
  expect(orderHostKeyAlgorithms(known({ authorities: [rsa] }), offered).slice(0, 4)).toEqual([
    ...offered.slice(0, 3),
    "ssh-ed25519",
  ]);
});

test("the keys of the bare name decide only where nothing is known with the port", () => {
  const bare = { keys: [rsa], authorities: [] };
  expect(orderHostKeyAlgorithms(known({ withoutPort: bare }), offered.slice(3))[0]).toBe(
    "rsa-sha2-512",
  );
  expect(
    orderHostKeyAlgorithms(known({ keys: [ecdsa], withoutPort: bare }), offered.slice(3))[0],
  ).toBe("ecdsa-sha2-nistp384");
});

test("nothing is ever added or lost, and each half keeps its order", () => {
  const keys = fc.subarray([ed25519, rsa, ecdsa, securityKey]);
  fc.assert(
    fc.property(keys, keys, fc.shuffledSubarray(offered), (keys, authorities, offered) => {
      const ordered = orderHostKeyAlgorithms(known({ keys, authorities }), offered);
      expect([...ordered].sort()).toEqual([...offered].sort());
      const positions = ordered.map((name) => offered.indexOf(name));
      const falls = positions.filter((at, index) => at < (positions[index - 1] ?? -1));
      expect(falls.length).toBeLessThanOrEqual(1);
    }),
  );
});

function known(parts: Partial<KnownHost>): KnownHost {
  return {
    name: { display: "box", withoutPort: undefined, principal: "box" },
    keys: [],
    authorities: [],
    revoked: [],
    withoutPort: { keys: [], authorities: [] },
    ...parts,
  };
}

function knownKey(type: string): KnownKey {
  return { ...ed25519Key("host"), type, file: "/kh", line: 1 };
}
