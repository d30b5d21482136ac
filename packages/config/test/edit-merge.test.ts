import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import JSON5 from "json5";
import { expect, test } from "vitest";
import { type ConfigPath, diffConfigs, replaceConfigText } from "../src/index.ts";
import { isOverlapping } from "../src/edit/config-diff.ts";
import { valueAtPath } from "../src/edit/config-path.ts";
import { toPlain } from "../src/edit/edit-text.ts";
import { createFolder } from "./support/config-folder.ts";

const name = fc.constantFrom("A", "B", "C", "__proto__", "constructor", "a.b");
const { members } = fc.letrec<{ value: unknown; members: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.integer({ min: 0, max: 3 }),
    fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 }),
    tie("members"),
  ),
  members: fc
    .array(fc.tuple(name, tie("value")), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries)),
}));

/** A section that may hold anything. */
const config = members.map((otel) => ({ diagnostics: { otel } }));

test("a merge has the changes of both and no others, or is refused and changes nothing", async () => {
  const path = join(await createFolder(), "openclaw.json");
  let merged = 0;
  await fc.assert(
    fc.asyncProperty(config, config, config, async (base, theirs, mine) => {
      const text = JSON5.stringify(theirs, null, 1);
      await writeFile(path, text);
      let after: unknown;
      try {
        ({ after } = await replaceConfigText(path, JSON.stringify(mine), {
          baseText: JSON.stringify(base),
        }));
      } catch (error) {
        expect(error).toMatchObject({ code: "CONFIG_CHANGED" });
        expect(await readFile(path, "utf8")).toBe(text);
        return;
      }
      merged += 1;
      const changes = [...diffConfigs(base, mine), ...diffConfigs(base, theirs)];
      for (const change of changes) {
        expect(toPlain(valueAtPath(after, change.path))).toEqual(toPlain(change.after));
      }
      const isKnown = (place: ConfigPath): boolean =>
        changes.some((change) => isOverlapping(change.path, place));
      expect(diffConfigs(base, after).filter((change) => !isKnown(change.path))).toEqual([]);
    }),
    { numRuns: 200 },
  );
  expect(merged).toBeGreaterThan(0);
});
