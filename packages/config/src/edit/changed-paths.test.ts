import { expect, test } from "vitest";
import { changedPaths } from "./config-diff.ts";

test.each<[what: string, before: unknown, after: unknown, paths: string[]]>([
  ["a value", { a: { b: 1 } }, { a: { b: 2 } }, ["a.b"]],
  ["a section that is new", {}, { a: { b: { c: 1 }, d: [2] } }, ["a.b.c", "a.d"]],
  ["a section that is gone", { a: { b: { c: 1 } } }, {}, ["a.b.c"]],
  ["an empty section", {}, { a: {} }, ["a"]],
  ["nothing", { a: { b: 1 } }, { a: { b: 1 } }, []],
])("of %s", (_what, before, after, paths) => {
  expect(changedPaths(before, after).map((path) => path.join("."))).toEqual(paths);
});
