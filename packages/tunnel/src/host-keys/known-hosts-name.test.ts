import { expect, test } from "vitest";
import { isRecordableName, knownHostsName } from "./known-hosts-name.ts";

const host = { hostName: "Box.Example", port: 22, hostKeyAlias: undefined };

test("port 22 is left out of the name, another port is not", () => {
  expect(knownHostsName(host)).toEqual({
    display: "box.example",
    withoutPort: undefined,
    principal: "box.example",
  });
  expect(knownHostsName({ ...host, port: 2222 })).toEqual({
    display: "[box.example]:2222",
    withoutPort: "box.example",
    principal: "box.example",
  });
  expect(knownHostsName({ ...host, hostName: "fe80::1%eth0", port: 2222 }).display).toBe(
    "[fe80::1%eth0]:2222",
  );
});

test("an alias stands for itself, whatever the port", () => {
  for (const port of [22, 2222]) {
    expect(knownHostsName({ ...host, port, hostKeyAlias: "Fleet" })).toEqual({
      display: "fleet",
      withoutPort: undefined,
      principal: "fleet",
    });
  }
});

test("only a name that means one host can be recorded", () => {
  const good = ["box", "10.0.0.7", "::1", "fe80::1%eth0", "[box]:2222", "[::1]:2222", "bücher"];
  const patterns = ["", "*", "b?x", "!box", "[b*x]:22"];
  const fields = ["a,b", "a b", "a\tb", "a\nb", "@revoked", "#box", "|1|a|b", "b\u0007x"];
  const broken = ["[box", "[]:22", "[box]:", "b'x", 'b"x', "b\\x"];
  expect([...patterns, ...good, ...fields, ...broken].filter(isRecordableName)).toEqual(good);
});
