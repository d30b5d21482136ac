import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { configReference } from "../src/config-reference.ts";
import { CONFIG_REFERENCE_PATH, renderConfigReference } from "../src/write-config-reference.ts";

test("docs/config-reference.md is what `npm run docs` writes", async () => {
  expect(readFileSync(CONFIG_REFERENCE_PATH, "utf8")).toBe(await renderConfigReference());
});

test("shows what is allowed, the default with its unit, what a change does, and rules", () => {
  const base = { reload: "hot", isSecret: false, isSection: false, rules: [] } as const;
  const text = configReference([
    {
      ...base,
      path: "app",
      summary: "An app.",
      allowed: "an object",
      isSection: true,
      rules: ["Both or none."],
    },
    {
      ...base,
      path: "app.waitMs",
      summary: "A pause.",
      allowed: "an integer of at least 0",
      fallback: { value: 300 },
      unit: "ms",
    },
    {
      ...base,
      path: "app.key",
      summary: "A key.",
      allowed: "a string",
      isSecret: true,
      reload: "restart",
    },
    {
      ...base,
      path: "app.mode",
      summary: "A mode.",
      allowed: '"a", "b"',
      fallback: { text: "as it can" },
      reload: "none",
    },
  ]);
  expect(text).toContain("- [`app`](#app): An app.");
  expect(text).toContain(
    "| `app.waitMs` | an integer of at least 0 | `300` ms | live | A pause. |",
  );
  expect(text).toContain("| `app.key` | a string |  | restart | A key. Secret. |");
  expect(text).toContain('| `app.mode` | `"a"`, `"b"` | as it can | – | A mode. |');
  expect(text).toContain("- `app`: Both or none.");
});
