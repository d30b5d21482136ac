import { expect, test } from "vitest";
import { jsonInNoise } from "./json-in-noise.ts";

const document = { a: { b: "}{" }, c: [1, { d: null }] };
const printed = JSON.stringify(document, undefined, 2);

test.each([
  ["alone", printed],
  ["in one line", JSON.stringify(document)],
  ["after a warning", `Warning: client version != server version\n${printed}\n`],
  ["before news", `${printed}\nAn update is available.\n`],
  ["after a warning with braces", `Warning: {odd} thing {\n${printed}`],
  ["before news with braces", `${printed}\n# see {docs}\n`],
  ["between braces on both sides", `{odd}\n{\n${printed}\n# {more}\n}`],
  ["with Windows' line ends", `note\r\n${printed.replaceAll("\n", "\r\n")}\r\n`],
])("a document is found %s", (_, text) => expect(jsonInNoise(text)).toEqual(document));

test.each([
  "",
  "null",
  "[]",
  "{",
  "}",
  "}{",
  '{ "a": ',
  "{odd}",
  "No serve config",
  "{".repeat(1e5),
])("there is none in %j", (text) => expect(jsonInNoise(text)).toBeUndefined());
