import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { LedgerError } from "./errors.ts";
import { createFileLedger, type LedgerOptions } from "./file-ledger.ts";
import { realFileSystem, type LedgerFileSystem } from "./file-system.ts";
import type { Ledger } from "./ledger.ts";

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "ledger-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function start(directory: string, options: Partial<LedgerOptions> = {}): Ledger {
  const ledger = createFileLedger({ directory, ...options });
  onTestFinished(() => ledger.close());
  return ledger;
}

const open = (ledger: Ledger, key: string, more: { reopen?: boolean } = {}): Promise<void> =>
  new Promise((resolve, reject) => {
    ledger.open(
      { key, fingerprint: `print of ${key}`, meta: { command: "echo" }, ...more },
      (error) => (error === undefined ? resolve() : reject(error)),
    );
  });

const finish = (ledger: Ledger, key: string, outcome: string): Promise<void> =>
  new Promise((resolve, reject) => {
    ledger.finish(key, outcome, (error) => (error === undefined ? resolve() : reject(error)));
  });

const forget = (ledger: Ledger, key: string): Promise<void> =>
  new Promise((resolve, reject) => {
    ledger.forget(key, (error) => (error === undefined ? resolve() : reject(error)));
  });

async function run(ledger: Ledger, key: string, outcome = `outcome of ${key}`): Promise<void> {
  await open(ledger, key);
  await finish(ledger, key, outcome);
}

const journalFiles = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.startsWith("journal-"))
    .toSorted();

function failingFs(overrides: Partial<LedgerFileSystem>): LedgerFileSystem {
  return { ...realFileSystem, ...overrides };
}

function thrownBy(work: () => unknown): LedgerError {
  try {
    work();
  } catch (error) {
    if (error instanceof LedgerError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("what is recorded", () => {
  test("is there again after the ledger is opened anew", async () => {
    const directory = temporaryDirectory();
    const first = createFileLedger({ directory, now: () => 1_000 });
    await run(first, "done", 'text with "quotes", a \n newline and ünïcödé 🦞');
    await open(first, "begun");
    await run(first, "gone");
    await forget(first, "gone");
    await first.close();

    const second = start(directory, { now: () => 2_000 });
    expect(second.get("done")).toMatchObject({
      key: "done",
      fingerprint: "print of done",
      stage: "finished",
      openedAtMs: 1_000,
      finishedAtMs: 1_000,
      meta: { command: "echo" },
    });
    expect(second.outcome("done")).toBe('text with "quotes", a \n newline and ünïcödé 🦞');
    expect(second.get("begun")).toMatchObject({ stage: "open" });
    expect(second.outcome("begun")).toBeUndefined();
    expect(second.get("gone")).toBeUndefined();
    expect([...second.openEntries()].map((entry) => entry.key)).toEqual(["begun"]);
    expect(second.stats).toMatchObject({ entries: 2, open: 1, oldestAtMs: 1_000 });
  });

  test("is visible as open at once and as finished only when committed", async () => {
    const ledger = start(temporaryDirectory());
    ledger.open({ key: "k", fingerprint: "f", meta: {} }, () => {});
    expect(ledger.get("k")?.stage).toBe("open");
    const finished = finish(ledger, "k", "result");
    expect(ledger.get("k")?.stage).toBe("open");
    expect(ledger.outcome("k")).toBeUndefined();
    await finished;
    expect(ledger.get("k")?.stage).toBe("finished");
    expect(ledger.outcome("k")).toBe("result");
  });

  test("takes one write for all calls of a turn, and answers in their order", async () => {
    let writes = 0;
    const writeSync = ((fd: number, text: string, position: number) => {
      writes += 1;
      return realFileSystem.writeSync(fd, text, position);
    }) as typeof realFileSystem.writeSync;
    const ledger = start(temporaryDirectory(), { fs: failingFs({ writeSync }) });
    const order: string[] = [];
    const all = Array.from({ length: 50 }, async (_, index) => {
      const opened = open(ledger, `k${index}`).then(() => order.push(`open ${index}`));
      const finished = finish(ledger, `k${index}`, "x").then(() => order.push(`finish ${index}`));
      await Promise.all([opened, finished]);
    });
    await Promise.all(all);
    expect(writes).toBe(1);
    expect(order).toEqual(
      Array.from({ length: 50 }, (_, index) => [`open ${index}`, `finish ${index}`]).flat(),
    );
  });

  test("goes on when one callback throws", async () => {
    const thrown = new Promise<unknown>((resolve) => {
      const former = process.listeners("uncaughtException");
      process.removeAllListeners("uncaughtException");
      process.once("uncaughtException", (error) => {
        for (const listener of former) process.on("uncaughtException", listener);
        resolve(error);
      });
    });
    const ledger = start(temporaryDirectory());
    ledger.open({ key: "a", fingerprint: "", meta: {} }, () => {
      throw new Error("a caller's fault");
    });
    await open(ledger, "b");
    expect(await thrown).toMatchObject({ message: "a caller's fault" });
  });

  test("is kept private to the user", async () => {
    const directory = join(temporaryDirectory(), "state");
    await run(start(directory), "k");
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(directory)) {
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    }
  });
});

describe("a key", () => {
  test("that is known cannot be opened again, unless that is asked for", async () => {
    const directory = temporaryDirectory();
    const ledger = createFileLedger({ directory });
    await run(ledger, "k", "first");
    await expect(open(ledger, "k")).rejects.toMatchObject({ code: "KEY_EXISTS" });
    expect(ledger.outcome("k")).toBe("first");
    await open(ledger, "k", { reopen: true });
    expect(ledger.get("k")?.stage).toBe("open");
    await ledger.close();
    expect(start(directory).get("k")?.stage).toBe("open");
  });

  test("that is not open cannot be finished", async () => {
    const ledger = start(temporaryDirectory());
    await expect(finish(ledger, "unknown", "x")).rejects.toMatchObject({ code: "NOT_OPEN" });
    await open(ledger, "k");
    const [first, second] = await Promise.allSettled([
      finish(ledger, "k", "one"),
      finish(ledger, "k", "two"),
    ]);
    expect(first.status).toBe("fulfilled");
    expect(second).toMatchObject({ reason: { code: "NOT_OPEN" } });
    expect(ledger.outcome("k")).toBe("one");
  });

  test("that is forgotten can be used again within the same turn", async () => {
    const directory = temporaryDirectory();
    const ledger = createFileLedger({ directory });
    await run(ledger, "k", "old");
    await Promise.all([forget(ledger, "k"), open(ledger, "k"), finish(ledger, "k", "new")]);
    expect(ledger.outcome("k")).toBe("new");
    await ledger.close();
    expect(start(directory).outcome("k")).toBe("new");
  });
});

describe("close", () => {
  test("writes what is pending, may be called twice, and refuses what comes later", async () => {
    const directory = temporaryDirectory();
    const ledger = createFileLedger({ directory });
    const opened = open(ledger, "k");
    const closed = ledger.close();
    expect(ledger.close()).toBe(closed);
    await Promise.all([opened, closed]);
    expect(start(directory).get("k")?.stage).toBe("open");
    await expect(open(ledger, "late")).rejects.toMatchObject({ code: "CLOSED" });
    await expect(finish(ledger, "k", "x")).rejects.toMatchObject({ code: "CLOSED" });
    await expect(forget(ledger, "k")).rejects.toMatchObject({ code: "CLOSED" });
  });
});

describe("the outcome of a key", () => {
  test("is read back from disk when it is no longer recent", async () => {
    const ledger = start(temporaryDirectory(), { segmentBytes: 1_000_000 });
    const outcomes = new Map<string, string>();
    for (let index = 0; index < 6; index += 1) {
      outcomes.set(`k${index}`, `${index}ß`.repeat(500_000));
      await run(ledger, `k${index}`, outcomes.get(`k${index}`));
    }
    for (const [key, outcome] of outcomes) expect(ledger.outcome(key) === outcome).toBe(true);
  });

  test("that was damaged on disk is an error, not a wrong answer", async () => {
    const directory = temporaryDirectory();
    const first = createFileLedger({ directory });
    await run(first, "k", "the outcome");
    await first.close();
    const second = start(directory);
    const file = join(directory, journalFiles(directory)[0] ?? "");
    writeFileSync(file, readFileSync(file, "utf8").replace("the outcome", "the outcame"));
    expect(thrownBy(() => second.outcome("k"))).toMatchObject({ code: "CORRUPT", file });
  });
});

describe("retention", () => {
  test("drops finished records by age, never open ones", async () => {
    let nowMs = 0;
    const ledger = start(temporaryDirectory(), { now: () => nowMs, retentionMs: 1_000 });
    await open(ledger, "open");
    await run(ledger, "old");
    nowMs = 900;
    await run(ledger, "young");
    nowMs = 1_001;
    await run(ledger, "new");
    expect(ledger.get("old")).toBeUndefined();
    expect(ledger.outcome("old")).toBeUndefined();
    expect(ledger.get("young")?.stage).toBe("finished");
    expect(ledger.get("open")?.stage).toBe("open");
  });

  test("drops by age without new records too", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const ledger = start(temporaryDirectory(), { retentionMs: 30_000 });
    await run(ledger, "k");
    vi.advanceTimersByTime(61_000);
    expect(ledger.get("k")).toBeUndefined();
  });

  test("keeps at most maxEntries finished records, and the same ones after a restart", async () => {
    const directory = temporaryDirectory();
    const first = createFileLedger({ directory, maxEntries: 3 });
    await open(first, "open");
    for (let index = 0; index < 10; index += 1) await run(first, `k${index}`);
    const kept = (ledger: Ledger): string[] =>
      Array.from({ length: 10 }, (_, index) => `k${index}`).filter((key) => ledger.get(key));
    expect(kept(first)).toEqual(["k7", "k8", "k9"]);
    await first.close();
    const second = start(directory, { maxEntries: 3 });
    expect(kept(second)).toEqual(["k7", "k8", "k9"]);
    expect(second.get("open")?.stage).toBe("open");
  });

  test("keeps the journal within maxBytes by deleting whole segments", async () => {
    const directory = temporaryDirectory();
    const ledger = start(directory, {
      maxBytes: 20_000,
      segmentBytes: 4_000,
      syncIntervalMs: 0,
    });
    for (let index = 0; index < 100; index += 1) await run(ledger, `k${index}`, "x".repeat(1_000));
    expect(ledger.get("k0")).toBeUndefined();
    expect(ledger.outcome("k99")).toBe("x".repeat(1_000));
    expect(ledger.stats.journalBytes).toBeLessThan(25_000);
    await vi.waitFor(() => {
      const sizes = journalFiles(directory).map((name) => statSync(join(directory, name)).size);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(30_000);
    });
  });

  test("carries a long-lived open record forward, so that old segments can go", async () => {
    const directory = temporaryDirectory();
    const options = { maxEntries: 5, segmentBytes: 2_000, syncIntervalMs: 0 };
    const first = createFileLedger({ directory, ...options });
    await open(first, "long");
    for (let index = 0; index < 100; index += 1) await run(first, `k${index}`);
    await vi.waitFor(() => expect(journalFiles(directory).length).toBeLessThan(6));
    expect(journalFiles(directory)[0]).not.toBe("journal-00000001.log");
    await first.close();

    const second = createFileLedger({ directory, ...options });
    expect(second.get("long")).toMatchObject({ stage: "open", fingerprint: "print of long" });
    await finish(second, "long", "at last");
    await second.close();
    expect(start(directory, options).outcome("long")).toBe("at last");
  });

  test("does not copy a journal of nothing but open records again and again", async () => {
    let writes = 0;
    const writeSync = ((fd: number, text: string, position: number) => {
      writes += 1;
      return realFileSystem.writeSync(fd, text, position);
    }) as typeof realFileSystem.writeSync;
    const ledger = start(temporaryDirectory(), {
      segmentBytes: 1_000,
      maxBytes: 3_000,
      fs: failingFs({ writeSync }),
    });
    for (let index = 0; index < 100; index += 1) await open(ledger, `k${index}`);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(writes).toBe(100);
    expect(ledger.stats.open).toBe(100);
  });

  test("refuses limits that are not numbers", () => {
    const directory = temporaryDirectory();
    expect(() => createFileLedger({ directory, retentionMs: Number.NaN })).toThrow(RangeError);
    expect(() => createFileLedger({ directory, maxEntries: -1 })).toThrow(RangeError);
  });
});

describe("when the disk fails", () => {
  test("nothing is acknowledged, and what works again afterwards is whole", async () => {
    let isFull = false;
    const writeSync = ((fd: number, data: string | Buffer, ...rest: never[]) => {
      if (!isFull)
        return Reflect.apply(realFileSystem.writeSync, realFileSystem, [fd, data, ...rest]);
      // Half of it still fits, as on a disk that fills up.
      const bytes = Buffer.from(data);
      realFileSystem.writeSync(fd, bytes, 0, bytes.length >> 1, Number(rest[0]));
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    }) as typeof realFileSystem.writeSync;
    const directory = temporaryDirectory();
    const ledger = createFileLedger({ directory, fs: failingFs({ writeSync }) });
    await run(ledger, "before");
    await open(ledger, "running");
    isFull = true;
    const results = await Promise.allSettled([
      open(ledger, "refused"),
      finish(ledger, "running", "x".repeat(10_000)),
      forget(ledger, "before"),
      open(ledger, "before", { reopen: true }),
    ]);
    for (const result of results) {
      expect(result).toMatchObject({ reason: { code: "IO", message: /no space left/ } });
    }
    expect(ledger.get("refused")).toBeUndefined();
    expect(ledger.get("running")?.stage).toBe("open");
    expect(ledger.outcome("before")).toBe("outcome of before");

    isFull = false;
    await finish(ledger, "running", "in the end");
    await run(ledger, "refused");
    await ledger.close();

    const again = start(directory);
    expect(again.outcome("running")).toBe("in the end");
    expect(again.outcome("refused")).toBe("outcome of refused");
    expect(again.outcome("before")).toBe("outcome of before");
  });

  test("a rest that cannot be cut off blocks every write until it can", async () => {
    let isBroken = false;
    const broken = (): never => {
      throw Object.assign(new Error("input/output error"), { code: "EIO" });
    };
    const directory = temporaryDirectory();
    const fs = failingFs({
      writeSync: ((fd: number, data: string, position: number) => {
        const written = realFileSystem.writeSync(fd, data, position);
        return isBroken ? broken() : written;
      }) as typeof realFileSystem.writeSync,
      ftruncateSync: (fd, length) =>
        isBroken ? broken() : realFileSystem.ftruncateSync(fd, length),
    });
    const ledger = createFileLedger({ directory, fs });
    await open(ledger, "a");
    isBroken = true;
    await expect(open(ledger, "phantom")).rejects.toMatchObject({ code: "IO" });
    await expect(open(ledger, "phantom")).rejects.toMatchObject({ code: "IO" });
    isBroken = false;
    await open(ledger, "b");
    await ledger.close();
    expect([...start(directory).openEntries()].map((entry) => entry.key)).toEqual(["a", "b"]);
  });

  test("a short write is continued", async () => {
    const writeSync = ((fd: number, data: string | Buffer, ...rest: number[]) => {
      if (typeof data === "string") {
        return realFileSystem.writeSync(fd, Buffer.from(data), 0, 7, Number(rest[0]));
      }
      return realFileSystem.writeSync(fd, data, rest[0], Math.min(5, rest[1] ?? 0), rest[2]);
    }) as typeof realFileSystem.writeSync;
    const directory = temporaryDirectory();
    const ledger = createFileLedger({ directory, fs: failingFs({ writeSync }) });
    await run(ledger, "k", "übrig");
    await ledger.close();
    expect(start(directory).outcome("k")).toBe("übrig");
  });

  test("a folder that cannot be made is an IO error that names it", () => {
    const file = join(temporaryDirectory(), "file");
    writeFileSync(file, "");
    expect(thrownBy(() => createFileLedger({ directory: join(file, "state") }))).toMatchObject({
      code: "IO",
      file: join(file, "state"),
    });
  });
});

describe("durability power", () => {
  test("commits after fdatasync, and gathers what comes meanwhile into the next batch", async () => {
    const log: string[] = [];
    const syncs: (() => void)[] = [];
    const fs = failingFs({
      writeSync: ((fd: number, data: string, position: number) => {
        log.push("write");
        return realFileSystem.writeSync(fd, data, position);
      }) as typeof realFileSystem.writeSync,
      fdatasync: ((fd: number, done: (error: Error | null) => void) => {
        log.push("sync");
        syncs.push(() => realFileSystem.fdatasync(fd, done));
      }) as typeof realFileSystem.fdatasync,
    });
    const ledger = createFileLedger({ directory: temporaryDirectory(), durability: "power", fs });
    const begin = (key: string): Promise<void> =>
      new Promise((resolve) => {
        ledger.open({ key, fingerprint: "", meta: {} }, () => {
          log.push(key);
          resolve();
        });
      });
    const syncStarted = async (): Promise<void> => {
      await vi.waitFor(() => expect(syncs).toHaveLength(1));
    };
    const a = begin("a");
    await syncStarted();
    const b = begin("b");
    const c = begin("c");
    await new Promise((resolve) => setImmediate(resolve));
    expect(log).toEqual(["write", "sync"]);
    syncs.pop()?.();
    await a;
    await syncStarted();
    expect(log).toEqual(["write", "sync", "a", "write", "sync"]);
    syncs.pop()?.();
    await Promise.all([b, c]);
    expect(log).toEqual(["write", "sync", "a", "write", "sync", "b", "c"]);
    await ledger.close();
  });

  test("does not acknowledge what could not be synced", async () => {
    let isBroken = true;
    const fs = failingFs({
      fdatasync: ((fd: number, done: (error: Error | null) => void) => {
        if (isBroken) queueMicrotask(() => done(new Error("input/output error")));
        else realFileSystem.fdatasync(fd, done);
      }) as typeof realFileSystem.fdatasync,
    });
    const directory = temporaryDirectory();
    const ledger = createFileLedger({ directory, durability: "power", fs });
    await expect(open(ledger, "k")).rejects.toMatchObject({ code: "IO" });
    expect(ledger.get("k")).toBeUndefined();
    isBroken = false;
    await open(ledger, "other");
    await ledger.close();
    expect([...start(directory).openEntries()].map((entry) => entry.key)).toEqual(["other"]);
  });
});
