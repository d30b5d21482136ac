import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { createFileLedger } from "./file-ledger.ts";
import type { Ledger } from "./ledger.ts";
import { createMemoryLedger } from "./memory-ledger.ts";
import type { RetentionOptions } from "./retention.ts";

interface Kind {
  name: string;
  create(options?: RetentionOptions & { now?: () => number }): Ledger;
}

const kinds: Kind[] = [
  { name: "in memory", create: (options) => createMemoryLedger(options) },
  {
    name: "on disk",
    create(options) {
      const directory = mkdtempSync(join(tmpdir(), "ledger-"));
      onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
      return createFileLedger({ directory, segmentBytes: 2_000, ...options });
    },
  },
];

type Step =
  | { kind: "open"; key: string; reopen: boolean }
  | { kind: "finish"; key: string; outcome: string }
  | { kind: "forget"; key: string }
  | { kind: "turn" };

const key = fc.constantFrom("a", "b", "c", "d");
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("open" as const), key, reopen: fc.boolean() }),
  fc.record({ kind: fc.constant("finish" as const), key, outcome: fc.string() }),
  fc.record({ kind: fc.constant("forget" as const), key }),
  fc.record({ kind: fc.constant("turn" as const) }),
);

/** Plays steps, and tells the code of each answer in its order and the state in the end. */
async function play(ledger: Ledger, steps: readonly Step[]): Promise<unknown> {
  const answers: string[] = [];
  let open = 0;
  const done = (index: number) => (error?: Error & { code?: string }) => {
    open -= 1;
    answers.push(`${index} ${error?.code ?? "ok"}`);
  };
  for (const [index, each] of steps.entries()) {
    if (each.kind !== "turn") open += 1;
    if (each.kind === "open") {
      const record = { key: each.key, fingerprint: `${index}`, meta: {}, reopen: each.reopen };
      ledger.open(record, done(index));
    } else if (each.kind === "finish") ledger.finish(each.key, each.outcome, done(index));
    else if (each.kind === "forget") ledger.forget(each.key, done(index));
    else while (open > 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await ledger.close();
  const state = ["a", "b", "c", "d"].map((name) => [
    name,
    ledger.get(name)?.stage,
    ledger.get(name)?.fingerprint,
  ]);
  return { answers, state };
}

test("a ledger in memory and one on disk answer any sequence of calls alike", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const [memory, disk] = kinds.map((kind) => kind.create());
      if (memory === undefined || disk === undefined) throw new Error("two kinds");
      expect(await play(memory, steps)).toEqual(await play(disk, steps));
    }),
    { numRuns: 150 },
  );
});

describe.each(kinds)("a ledger $name", ({ create }) => {
  const run = (ledger: Ledger, name: string, outcome: string): Promise<void> =>
    new Promise((resolve, reject) => {
      ledger.open({ key: name, fingerprint: "", meta: {} }, () => {});
      ledger.finish(name, outcome, (error) => (error ? reject(error) : resolve()));
    });

  test("never calls back within the call", async () => {
    await using ledger = create();
    let isInside = true;
    const answered = new Promise<boolean>((resolve) => {
      ledger.open({ key: "k", fingerprint: "", meta: {} }, () => resolve(isInside));
    });
    isInside = false;
    expect(await answered).toBe(false);
  });

  test("drops finished keys by count and by age, open ones never", async () => {
    let nowMs = 0;
    await using ledger = create({ maxEntries: 2, retentionMs: 100, now: () => nowMs });
    ledger.open({ key: "open", fingerprint: "", meta: {} }, () => {});
    for (const name of ["a", "b", "c"]) await run(ledger, name, name);
    expect(["a", "b", "c"].map((name) => ledger.outcome(name))).toEqual([undefined, "b", "c"]);
    nowMs = 101;
    await run(ledger, "d", "d");
    expect(ledger.stats).toMatchObject({ entries: 2, open: 1 });
    expect(ledger.outcome("d")).toBe("d");
  });
});
