import { expect, test } from "vitest";
import { matchId } from "./match-id.ts";
import { resolveNode } from "./resolve-node.ts";

const node = (
  nodeId: string,
  displayName: string,
  more: { remoteIp?: string; connected?: boolean } = {},
) => ({
  nodeId,
  displayName,
  ...more,
});

const nodes = [
  node("aaaaaa1111", "Workshop Pi", { remoteIp: "10.0.0.7" }),
  node("bbbbbb2222", "Laptop", { connected: false }),
  node("bbbbbb3333", "laptop", { connected: true, remoteIp: "10.0.0.8" }),
  node("cccccc4444", "工房"),
];

test("a node is found by id, address, folded name and the first characters of its id", () => {
  expect(resolveNode("aaaaaa1111", nodes).displayName).toBe("Workshop Pi");
  expect(resolveNode("10.0.0.7", nodes).displayName).toBe("Workshop Pi");
  expect(resolveNode("workshop_PI", nodes).displayName).toBe("Workshop Pi");
  expect(resolveNode("aaaaaa", nodes).displayName).toBe("Workshop Pi");
  expect(resolveNode("工房", nodes).nodeId).toBe("cccccc4444");
});

test("the connected one of two with the same name is meant", () => {
  expect(resolveNode("laptop", nodes).nodeId).toBe("bbbbbb3333");
});

test("fewer than 6 characters, or none that fit, name what is known", () => {
  expect(() => resolveNode("aaaaa", nodes)).toThrow(
    /^unknown node: aaaaa \(known: Workshop Pi \(aaaaaa1111\)/,
  );
  expect(() => resolveNode("x", [])).toThrow("unknown node: x (known: none)");
});

test("two that fit alike are both named", () => {
  const twins = [node("dddddd11", "twin"), node("dddddd22", "twin")];
  expect(() => resolveNode("twin", twins)).toThrow(
    /^ambiguous node: twin \(matches: twin \(dddddd11\), twin \(dddddd22\)\)$/,
  );
  expect(() => resolveNode("dddddd", twins)).toThrow(/^ambiguous node/);
});

test("an id may be cut to 6 characters as long as it stays clear", () => {
  const ids = ["abcdef-1", "abcdef-2", "123456-9"];
  const find = (given: string) => matchId("request", given, ids, (id) => id);
  expect(find("123456")).toBe("123456-9");
  expect(find("abcdef-2")).toBe("abcdef-2");
  expect(() => find("abcdef")).toThrow("ambiguous request: abcdef (matches: abcdef-1, abcdef-2)");
  expect(() => find("12345")).toThrow(/^unknown request: 12345/);
});
