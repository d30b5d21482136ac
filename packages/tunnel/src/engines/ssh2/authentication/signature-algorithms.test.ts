import { expect, test } from "vitest";
import { signatureAlgorithmsFor } from "./signature-algorithms.ts";

const CERTIFICATE = "-cert-v01@openssh.com";
const names = (
  type: string,
  accepted?: readonly string[],
  announced?: readonly string[],
): string[] => signatureAlgorithmsFor(type, { accepted, announced }).map(({ request }) => request);

test("keys other than RSA have one algorithm, which is their type", () => {
  expect(names("ssh-ed25519")).toEqual(["ssh-ed25519"]);
  expect(names("sk-ssh-ed25519@openssh.com")).toEqual(["sk-ssh-ed25519@openssh.com"]);
  // Servers leave types out of their announcement that they take all the same.
  expect(names("ecdsa-sha2-nistp256", undefined, ["rsa-sha2-512"])).toEqual([
    "ecdsa-sha2-nistp256",
  ]);
});

test("the signature of a certificate names the plain algorithm", () => {
  expect(
    signatureAlgorithmsFor(`ssh-ed25519${CERTIFICATE}`, {
      accepted: undefined,
      announced: undefined,
    }),
  ).toEqual([{ request: `ssh-ed25519${CERTIFICATE}`, signature: "ssh-ed25519" }]);
  expect(
    signatureAlgorithmsFor(`ssh-rsa${CERTIFICATE}`, {
      accepted: undefined,
      announced: ["rsa-sha2-256"],
    }),
  ).toEqual([{ request: `rsa-sha2-256${CERTIFICATE}`, signature: "rsa-sha2-256" }]);
});

test("RSA takes what the server has announced, and everything if it has not", () => {
  expect(names("ssh-rsa")).toEqual(["rsa-sha2-512", "rsa-sha2-256"]);
  expect(names("ssh-rsa", undefined, ["ssh-rsa", "rsa-sha2-256"])).toEqual(["rsa-sha2-256"]);
  expect(names("ssh-rsa", undefined, ["ssh-ed25519"])).toEqual(["rsa-sha2-512", "rsa-sha2-256"]);
});

test("PubkeyAcceptedAlgorithms forbids, orders, and alone allows SHA-1", () => {
  expect(names("ssh-ed25519", ["ssh-rsa"])).toEqual([]);
  expect(names("ssh-rsa", ["ssh-ed25519"])).toEqual([]);
  expect(names("ssh-rsa", ["rsa-sha2-256", "rsa-sha2-512"])).toEqual([
    "rsa-sha2-256",
    "rsa-sha2-512",
  ]);
  expect(names("ssh-rsa", ["ssh-rsa"], ["ssh-rsa"])).toEqual(["ssh-rsa"]);
  expect(names(`ssh-rsa${CERTIFICATE}`, ["rsa-sha2-512"])).toEqual([]);
  expect(names(`ssh-rsa${CERTIFICATE}`, [`rsa-sha2-512${CERTIFICATE}`])).toEqual([
    `rsa-sha2-512${CERTIFICATE}`,
  ]);
});

test("DSA is not used at all", () => {
  expect(names("ssh-dss", ["ssh-dss"])).toEqual([]);
});
