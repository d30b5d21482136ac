import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { answer } from "./readme-example.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

test("the README shows the example that is run here, word for word", () => {
  expect(read("../README.md")).toContain(`\`\`\`ts\n${read("./readme-example.ts")}\`\`\``);
});

test.each([
  [
    { type: "req", id: "1", method: "node.describe", params: { nodeId: "n" } },
    { type: "res", id: "1", ok: true, payload: { nodeId: "n", connected: false } },
  ],
  [
    { type: "req", id: "2", method: "node.describe" },
    {
      type: "res",
      id: "2",
      ok: false,
      error: {
        code: "INVALID_REQUEST",
        message: "invalid node.describe params: must have required property 'nodeId'",
      },
    },
  ],
  [
    { type: "req", id: "3", method: "node.dance" },
    {
      type: "res",
      id: "3",
      ok: false,
      error: { code: "INVALID_REQUEST", message: "unknown method: node.dance" },
    },
  ],
])("it answers %j", (request, response) => {
  expect(JSON.parse(answer(JSON.stringify(request)))).toEqual(response);
});

test("it refuses what is no frame", () => {
  expect(answer("nonsense")).toContain("invalid request frame: must be JSON");
});
