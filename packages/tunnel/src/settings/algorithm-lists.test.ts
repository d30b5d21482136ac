import { expect, test } from "vitest";
import { isDefaultList, resolveAlgorithms } from "./algorithm-lists.ts";
import { defaultAlgorithms } from "./openssh-defaults.ts";

const ciphers = defaultAlgorithms.ciphers[0] ?? [];

test("a plain list replaces the default", () => {
  expect(resolveAlgorithms("ciphers", "aes256-ctr,new-cipher")).toEqual([
    "aes256-ctr",
    "new-cipher",
  ]);
});

test("+ appends, each name once", () => {
  expect(resolveAlgorithms("ciphers", "+aes128-cbc,aes128-ctr")).toEqual([
    ...ciphers,
    "aes128-cbc",
  ]);
});

test("- removes, also by pattern", () => {
  const left = resolveAlgorithms("ciphers", "-*-ctr,aes128-gcm@openssh.com");
  expect(left).toEqual(["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com"]);
});

test("^ puts in front and keeps the rest in its order", () => {
  const list = resolveAlgorithms("ciphers", "^aes256-ctr");
  expect(list[0]).toBe("aes256-ctr");
  expect(list.slice(1)).toEqual(ciphers.filter((name) => name !== "aes256-ctr"));
});

test("a pattern stands for what OpenSSH supports", () => {
  expect(resolveAlgorithms("pubkeyacceptedalgorithms", "ssh-rsa*")).toEqual([
    "ssh-rsa",
    "ssh-rsa-cert-v01@openssh.com",
  ]);
});

test("the lists of several releases count as default", () => {
  for (const list of defaultAlgorithms.kexalgorithms) {
    expect(isDefaultList("kexalgorithms", list.join(","))).toBe(true);
  }
  expect(isDefaultList("kexalgorithms", "curve25519-sha256")).toBe(false);
});
