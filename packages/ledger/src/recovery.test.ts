import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync } from "node:fs";
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { LedgerError } from "./errors.ts";
import { createFileLedger } from "./file-ledger.ts";
import { checkpointLine, openLine, recordHead, segmentLine } from "./record-line.ts";

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "ledger-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Opens a directory, tells what is in it, and closes it again. */
async function contents(directory: string): Promise<Map<string, string | undefined>> {
  await using ledger = createFileLedger({ directory, now: () => 1 });
  const found = new Map<string, string | undefined>();
  for (const key of KEYS) {
    if (ledger.get(key) !== undefined) found.set(key, ledger.outcome(key));
  }
  return found;
}

function corruption(directory: string): LedgerError {
  try {
    createFileLedger({ directory });
  } catch (error) {
    if (error instanceof LedgerError) return error;
  }
  throw new Error("the ledger opened");
}

const KEYS = Array.from({ length: 12 }, (_, index) => `key ${index} ü`);

interface Commit {
  key: string;
  outcome: string | undefined;
  /** Size of the journal when it was acknowledged. */
  endsAt: number;
}

/** A journal of one segment, and what it had acknowledged at which size. */
async function journalWithCommits(directory: string): Promise<{ file: string; commits: Commit[] }> {
  const file = join(directory, "journal-00000001.log");
  const commits: Commit[] = [];
  await using ledger = createFileLedger({ directory, now: () => 1, syncIntervalMs: 1_000_000 });
  for (const [index, key] of KEYS.entries()) {
    const outcome = index % 3 === 0 ? undefined : `outcome of ${key}`;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        commits.push({ key, outcome, endsAt: ledger.stats.journalBytes });
        resolve();
      };
      ledger.open(
        { key, fingerprint: "", meta: { index } },
        outcome === undefined ? done : () => {},
      );
      if (outcome !== undefined) ledger.finish(key, outcome, done);
    });
  }
  return { file, commits };
}

describe("a torn tail", () => {
  test("is cut at whatever byte the write stopped; what was acknowledged is there", async () => {
    const source = temporaryDirectory();
    const { file, commits } = await journalWithCommits(source);
    const bytes = readFileSync(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length), async (cut) => {
        const directory = mkdtempSync(join(source, "cut-"));
        writeFileSync(join(directory, "journal-00000001.log"), bytes.subarray(0, cut));
        const found = await contents(directory);
        for (const { key, outcome, endsAt } of commits) {
          if (endsAt <= cut) expect(found.get(key)).toBe(outcome);
          else if (found.has(key)) expect([undefined, outcome]).toContain(found.get(key));
          if (endsAt <= cut) expect(found.has(key)).toBe(true);
        }
        // And the journal is whole again: it opens a second time, with the same contents.
        expect(await contents(directory)).toEqual(found);
      }),
      { numRuns: 150 },
    );
  });

  test("is written over, and never shows through", async () => {
    const directory = temporaryDirectory();
    const { file } = await journalWithCommits(directory);
    appendFileSync(file, '0badc0de {"t":"f","k":"half');
    const ledger = createFileLedger({ directory, now: () => 1 });
    await new Promise<void>((resolve) => {
      ledger.open({ key: "next", fingerprint: "", meta: {} }, () => resolve());
    });
    await ledger.close();
    await using again = createFileLedger({ directory, now: () => 1 });
    expect(again.get("next")?.stage).toBe("open");
  });
});

describe("damage in the middle", () => {
  test("is an error that names file and offset, and changes nothing", async () => {
    const source = temporaryDirectory();
    const { file } = await journalWithCommits(source);
    const bytes = readFileSync(file);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const directory = mkdtempSync(join(source, "flip-"));
          const damaged = Buffer.from(bytes);
          // Zeros may be a page that was never written; they have a test of their own.
          damaged[at] = (bytes[at] ?? 0) ^ flip || 1;
          const copy = join(directory, "journal-00000001.log");
          writeFileSync(copy, damaged);
          // The very last newline: the line then looks like a write that stopped there.
          if (at === bytes.length - 1) return;
          const error = corruption(directory);
          expect(error).toMatchObject({ code: "CORRUPT", file: copy });
          expect(error.offset).toBeLessThanOrEqual(at);
          expect(error.message).toContain(copy);
          expect(error.hint).toContain("Nothing was changed");
          expect(readFileSync(copy).equals(damaged)).toBe(true);
          // The lock is free again.
          expect(readdirSync(directory)).toEqual(["journal-00000001.log"]);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("is found in an unfinished line too, when a later file continues", async () => {
    const directory = temporaryDirectory();
    await segmented(directory);
    const first = join(directory, "journal-00000001.log");
    const bytes = readFileSync(first);
    writeFileSync(first, bytes.subarray(0, bytes.length - 5));
    expect(corruption(directory)).toMatchObject({ code: "CORRUPT", file: first });
  });

  test("includes a file that is missing between two others", async () => {
    const directory = temporaryDirectory();
    await segmented(directory);
    const second = join(directory, "journal-00000002.log");
    rmSync(second);
    expect(corruption(directory)).toMatchObject({ code: "CORRUPT", file: second, offset: 0 });
  });

  test("includes a format of a later release", () => {
    const directory = temporaryDirectory();
    const line = segmentLine(1).slice(9).replace('"v":1', '"v":2');
    writeFileSync(join(directory, "journal-00000001.log"), crcOf(line));
    expect(corruption(directory)).toMatchObject({
      code: "CORRUPT",
      message: expect.stringContaining("format version is 2"),
    });
  });
});

describe("pages that never reached the disk before the power went", () => {
  const head = (key: string): string => recordHead(key, "", 1, {});

  test("are left out when no checkpoint covers them", async () => {
    const directory = temporaryDirectory();
    const lost = openLine(head("key 1 ü"));
    const lines = [segmentLine(1), openLine(head("key 0 ü")), "\0".repeat(lost.length)];
    const file = join(directory, "journal-00000001.log");
    writeFileSync(file, `${lines.join("")}${openLine(head("key 2 ü"))}`);
    expect([...(await contents(directory)).keys()]).toEqual(["key 0 ü", "key 2 ü"]);
    // The gap is closed for good: a checkpoint written later does not turn it into damage.
    appendFileSync(file, checkpointLine(1, 10_000));
    expect([...(await contents(directory)).keys()]).toEqual(["key 0 ü", "key 2 ü"]);
  });

  test("are damage when a checkpoint says that they had reached it", () => {
    const directory = temporaryDirectory();
    const start = segmentLine(1) + openLine(head("key 0 ü"));
    const file = join(directory, "journal-00000001.log");
    writeFileSync(file, `${start}${"\0".repeat(50)}${checkpointLine(1, 1_000)}`);
    const offset = Buffer.byteLength(start);
    expect(corruption(directory)).toMatchObject({ code: "CORRUPT", file, offset });
  });

  test("at the end of a file that was full are cut off", async () => {
    const directory = temporaryDirectory();
    mkdirSync(directory, { recursive: true });
    const first = join(directory, "journal-00000001.log");
    writeFileSync(first, segmentLine(1) + openLine(head("key 0 ü")) + openLine(head("key 1 ü")));
    truncateSync(first, readFileSync(first).length - 10);
    writeFileSync(
      join(directory, "journal-00000002.log"),
      segmentLine(2) + openLine(head("key 2 ü")),
    );
    expect([...(await contents(directory)).keys()]).toEqual(["key 0 ü", "key 2 ü"]);
  });
});

test("a copy of a journal in use opens elsewhere with all that was acknowledged", async () => {
  const directory = temporaryDirectory();
  const ledger = createFileLedger({ directory, now: () => 1, segmentBytes: 500 });
  for (const key of KEYS) {
    await new Promise<void>((resolve) => {
      ledger.open({ key, fingerprint: "", meta: {} }, () => resolve());
    });
  }
  const copy = mkdtempSync(join(directory, "copy-"));
  for (const name of readdirSync(directory).filter((each) => each.startsWith("journal-"))) {
    copyFileSync(join(directory, name), join(copy, name));
  }
  expect([...(await contents(copy)).keys()]).toEqual(KEYS);
  await ledger.close();
});

/** Three full segments, synced one after the other as in normal use. */
async function segmented(directory: string): Promise<void> {
  const ledger = createFileLedger({
    directory,
    now: () => 1,
    segmentBytes: 200,
    durability: "power",
  });
  for (const key of KEYS.slice(0, 6)) {
    await new Promise<void>((resolve) => {
      ledger.open({ key, fingerprint: "", meta: {} }, () => {});
      ledger.finish(key, "x", () => resolve());
    });
  }
  await ledger.close();
}

function crcOf(json: string): string {
  const text = json.trimEnd();
  return `${crc32(text).toString(16).padStart(8, "0")} ${text}\n`;
}
