import { expect, test } from "vitest";
import { positionIn } from "./config-position.ts";

const TEXT = `// a comment {
{
  gateway: { port: 1,
    "auth": {
      /* [ */ token: "a}b",
    } },
  list: [ 1, { id: 'x' },
    [ 2, "]" ],
    { id: 'y' } ],
  list2: [],
  a: 1, a: 2,
}
`;

test.each<[readonly (string | number)[], number, number]>([
  [[], 2, 1],
  [["gateway"], 3, 3],
  [["gateway", "port"], 3, 14],
  [["gateway", "auth", "token"], 5, 15],
  [["list", 0], 7, 11],
  [["list", 1, "id"], 7, 16],
  [["list", 2, 1], 8, 10],
  [["list", 3, "id"], 9, 7],
  [["a"], 11, 9],
  // What is not there is shown at what is around it.
  [["gateway", "nothing", "at", "all"], 3, 3],
  [["list2", 4], 10, 3],
])("%j is at line %i, column %i", async (steps, line, column) => {
  expect(await positionIn(TEXT, steps)).toEqual({ line, column });
});

test.each(["\n", "\r\n", "\r", "\u2028"])("lines may end in %j", async (end) => {
  const text = ["{", " a: {", "  b: 1", " }", "}"].join(end);
  expect(await positionIn(text, ["a", "b"])).toEqual({ line: 3, column: 3 });
});

test("a byte order mark takes no column", async () => {
  expect(await positionIn("\uFEFF{a: 1}", ["a"])).toEqual({ line: 1, column: 2 });
});

test("an empty text has no places", async () => {
  expect(await positionIn(" \n", ["a"])).toBeUndefined();
});
