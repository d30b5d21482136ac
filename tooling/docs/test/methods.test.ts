import { readFileSync } from "node:fs";
import { z } from "zod";
import { expect, test } from "vitest";
import { methodReference } from "../src/method-reference.ts";
import { METHODS_PATH, renderMethods } from "../src/write-methods.ts";

test("docs/methods.md is what `npm run docs` writes", async () => {
  expect(readFileSync(METHODS_PATH, "utf8")).toBe(await renderMethods());
});

test("shows access, params with their limits, and the result of a method", () => {
  const text = methodReference([
    {
      name: "app.greet",
      access: "operator.write",
      summary: "Greets.",
      params: z.strictObject({
        name: z.string().min(1).max(64),
        times: z.int().min(1).optional(),
        tone: z.enum(["warm", "cool"]).optional(),
      }),
      result: z.object({ greetings: z.array(z.union([z.string(), z.null()])) }),
    },
  ]);

  expect(text).toContain("| [`app.greet`](#appgreet) | `operator.write` | Greets. |");
  expect(text).toContain("| `name` | `string` | required, not empty, at most 64 characters |");
  expect(text).toContain("| `times` | `number` | integer, ≥ 1 |");
  expect(text).toContain('| `tone` | `"warm" \\| "cool"` |  |');
  expect(text).toContain("greetings: (string | null)[];");
});
