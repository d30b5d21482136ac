import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SOURCE = fileURLToPath(new URL("../src", import.meta.url));
const sources = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
  .map((name) => name.replaceAll("\\", "/"));

/** What a file imports at run time; an import of types leaves no trace. */
function importsOf(name: string): string[] {
  const text = readFileSync(join(SOURCE, name), "utf8");
  const statements = text.matchAll(/^(?:import|export) (?!type )[^;]*?from "([^"]+)"/gm);
  return Array.from(statements, ([, specifier = ""]) => specifier);
}

function reachesZod(name: string, seen = new Set<string>()): boolean {
  if (seen.has(name)) return false;
  seen.add(name);
  return importsOf(name).some(
    (specifier) =>
      specifier === "zod" ||
      (specifier.startsWith(".") &&
        reachesZod(
          relative(SOURCE, join(SOURCE, dirname(name), specifier)).replaceAll("\\", "/"),
          seen,
        )),
  );
}

test.each(sources)("%s imports zod and its neighbours, nothing else", (name) => {
  for (const specifier of importsOf(name)) expect(specifier).toMatch(/^(?:zod|\.{1,2}\/.*\.ts)$/);
});

test.each([
  "client-info.ts",
  "close-codes.ts",
  "device-auth.ts",
  "error-codes.ts",
  "frames.ts",
  "limits.ts",
  "parse-frame.ts",
  "raw-json.ts",
  "scopes.ts",
  "version.ts",
])("%s is there for those who do not want to load zod", (name) => {
  expect(reachesZod(name)).toBe(false);
});

test("the test above would notice", () => {
  expect(reachesZod("index.ts")).toBe(true);
});
