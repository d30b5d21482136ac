import { expect, test } from "vitest";
import { splitArguments, splitCriteria } from "./split-arguments.ts";

test.each([
  ["a b\tc", ["a", "b", "c"]],
  ["", []],
  ["  # a comment", []],
  ["a # b", ["a"]],
  ["a#b", ["a#b"]],
  ['"a # b" c', ["a # b", "c"]],
  ["'a \"b' c", ['a "b', "c"]],
  ['a"b c"d', ["ab cd"]],
  ["a\\ b", ["a b"]],
  ['"a\\ b"', ["a\\ b"]],
  ['"a\\"b"', ['a"b']],
  ["a\\b\\\\c", ["a\\b\\c"]],
  ['"" x', ["", "x"]],
  ["a\\", ["a\\"]],
])("%j are the words %j", (text, words) => {
  expect(splitArguments(text)).toEqual(words);
});

test.each(['"a', "a'b", '"a\\"'])("%j has an open quote", (text) => {
  expect(splitArguments(text)).toBeUndefined();
});

test("criteria may have an equals sign between them and their lists", () => {
  expect(splitCriteria('host=a,b user "c d" exec "x = y"')).toEqual([
    ...["host", "a,b", "user", "c d", "exec", "x = y"],
  ]);
});
