import {
  appendFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { temporaryDirectory } from "@openclaw/testkit";
import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { type LogFile, type LogFileOptions, openLogFile } from "../src/logs/log-file.ts";
import { type LogLocation, logLocation } from "../src/logs/log-location.ts";
import { tailLog } from "../src/logs/tail-log.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

async function place(file?: string): Promise<{ location: LogLocation; home: string }> {
  const home = await temporaryDirectory("openclaw-log-");
  onTestFinished(() => home[Symbol.asyncDispose]());
  const stateDir = home.file("state");
  const logging = file === undefined ? {} : { file: file.replace("HOME", home.path) };
  return {
    location: logLocation({ config: { logging }, env: {}, paths: { stateDir, home: home.path } }),
    home: home.path,
  };
}

function writing(
  location: LogLocation,
  more: Partial<LogFileOptions> = {},
): { file: LogFile; problems: string[] } {
  const problems: string[] = [];
  const file = openLogFile({
    location,
    onProblem: (problem) => void problems.push(problem),
    ...more,
  });
  onTestFinished(() => file.close());
  return { file, problems };
}

async function written(path: string, text: string): Promise<void> {
  await vi.waitFor(() => expect(readFileSync(path, "utf8")).toBe(text), { timeout: 10_000 });
}

test("lines go to the file of the day, which only this user can read", async () => {
  const { location } = await place();
  const { file } = writing(location);
  file.write("one\n");
  file.write("two\n");
  const path = location.fileAt(Date.now());
  expect(basename(path)).toMatch(/^openclaw-\d{4}-\d{2}-\d{2}\.log$/);
  await written(path, "one\ntwo\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
});

test("what waits when the log is closed is written, what comes later is not", async () => {
  const { location } = await place();
  const { file } = writing(location);
  file.write("last\n");
  file.close();
  file.write("too late\n");
  expect(readFileSync(location.fileAt(Date.now()), "utf8")).toBe("last\n");
});

test("a new day is a new file, and files of former days go after 24 hours", async () => {
  const { location } = await place();
  let nowMs = Date.now();
  const { file } = writing(location, { now: () => nowMs });
  const [first, second, third] = [0, 1, 2].map((days) => location.fileAt(nowMs + days * DAY_MS));
  file.write("first\n");
  await written(first ?? "", "first\n");
  nowMs += DAY_MS;
  file.write("second\n");
  await written(second ?? "", "second\n");
  expect(location.files()).toEqual([first, second]);
  const longAgo = (nowMs - 2 * DAY_MS) / 1_000;
  utimesSync(first ?? "", longAgo, longAgo);
  utimesSync(second ?? "", nowMs / 1_000, nowMs / 1_000);
  nowMs += DAY_MS;
  file.write("third\n");
  await written(third ?? "", "third\n");
  expect(location.files()).toEqual([second, third]);
});

test("a file that grows too large is put aside, and one that was moved away is begun again", async () => {
  const { location } = await place("HOME/gateway.log");
  const path = location.fileAt(0);
  const { file } = writing(location, { maxBytes: 10 });
  file.write("0123456789\n");
  await written(path, "0123456789\n");
  file.write("next\n");
  await written(path, "next\n");
  expect(readFileSync(`${path}.1`, "utf8")).toBe("0123456789\n");
  expect(location.files()).toEqual([`${path}.1`, path]);
  rmSync(path);
  file.write("again\n");
  await written(path, "again\n");
});

test.each<[string, (path: string) => void, string]>([
  [
    "a symbolic link",
    (path) => {
      writeFileSync(`${path}.victim`, "");
      symlinkSync(`${path}.victim`, path);
    },
    "is a symbolic link",
  ],
  [
    "a second name of another file",
    (path) => {
      writeFileSync(`${path}.victim`, "");
      linkSync(`${path}.victim`, path);
    },
    "has a second name",
  ],
])("%s is not written through, and told once", async (_what, prepare, problem) => {
  const { location } = await place("HOME/gateway.log");
  const path = location.fileAt(0);
  prepare(path);
  const { file, problems } = writing(location);
  file.write("secret\n");
  await vi.waitFor(() => expect(problems).toHaveLength(1), { timeout: 10_000 });
  file.write("more\n");
  file.close();
  expect(problems).toEqual([expect.stringContaining(problem)]);
  expect(readFileSync(`${path}.victim`, "utf8")).toBe("");
});

test("a folder that cannot be had costs the file and nothing else", async () => {
  const { location, home } = await place("HOME/blocked/gateway.log");
  writeFileSync(`${home}/blocked`, "");
  const { file, problems } = writing(location);
  file.write("one\n");
  await vi.waitFor(() => expect(problems).toHaveLength(1), { timeout: 10_000 });
  rmSync(`${home}/blocked`);
  file.write("two\n");
  await written(location.fileAt(0), "two\n");
});

test("lines that a slow disk cannot take are dropped, and their number is told", async () => {
  const { location } = await place("HOME/gateway.log");
  const { file } = writing(location, { maxPendingBytes: 10 });
  file.write("12345678\n");
  file.write("dropped\n");
  file.write("dropped\n");
  file.close();
  const [first, note] = readFileSync(location.fileAt(0), "utf8").split("\n");
  expect(first).toBe("12345678");
  expect(JSON.parse(note ?? "")).toMatchObject({ level: "warn", count: 2 });
});

test("logs.tail: without a cursor the end, with it what follows, whole lines only", async () => {
  const { location } = await place("HOME/gateway.log");
  const path = location.fileAt(0);
  writeFileSync(path, "a\nb\nc\nunfin");
  const end = await tailLog(location, { limit: 2 });
  expect(end).toMatchObject({ file: path, size: 11, lines: ["b", "c"], truncated: true });
  const nothing = await tailLog(location, { cursor: end.cursor });
  expect(nothing).toMatchObject({ lines: [], cursor: end.cursor });
  expect(nothing).not.toHaveProperty("reset");
  appendFileSync(path, "ished\nd\n");
  const next = await tailLog(location, { cursor: nothing.cursor });
  expect(next.lines).toEqual(["unfinished", "d"]);
  expect(next).not.toHaveProperty("more");
});

test("logs.tail: the end holds no half line, whatever the bytes", async () => {
  const { location } = await place("HOME/gateway.log");
  writeFileSync(location.fileAt(0), "0123456789\nüü\n");
  expect((await tailLog(location, { maxBytes: 5 })).lines).toEqual(["üü"]);
  expect((await tailLog(location, { maxBytes: 6 })).lines).toEqual(["üü"]);
  expect((await tailLog(location, { maxBytes: 4 })).lines).toEqual([]);
  expect((await tailLog(location, { maxBytes: 100 })).lines).toEqual(["0123456789", "üü"]);
});

test("logs.tail: what was written before a rotation is read after it, then the new file with reset", async () => {
  const { location } = await place("HOME/gateway.log");
  const path = location.fileAt(0);
  writeFileSync(path, "old 1\n");
  const start = await tailLog(location, {});
  appendFileSync(path, "old 2\n");
  renameSync(path, `${path}.1`);
  writeFileSync(path, "new 1, and longer than the old file was\n");
  const rest = await tailLog(location, { cursor: start.cursor });
  expect(rest).toMatchObject({ file: `${path}.1`, lines: ["old 2"], more: true });
  const begun = await tailLog(location, { cursor: rest.cursor });
  expect(begun).toMatchObject({
    file: path,
    reset: true,
    lines: ["new 1, and longer than the old file was"],
  });
  expect((await tailLog(location, { cursor: begun.cursor })).lines).toEqual([]);
});

test("logs.tail: a file that was emptied or is gone begins again with reset", async () => {
  const { location } = await place("HOME/gateway.log");
  const path = location.fileAt(0);
  writeFileSync(path, "one\ntwo\n");
  const { cursor } = await tailLog(location, {});
  truncateSync(path);
  appendFileSync(path, "x\n");
  expect(await tailLog(location, { cursor })).toMatchObject({ reset: true, lines: ["x"] });
  rmSync(path);
  expect(await tailLog(location, { cursor })).toMatchObject({ reset: true, lines: [], size: 0 });
});

test("logs.tail: a line longer than maxBytes is passed over and said so", async () => {
  const { location } = await place("HOME/gateway.log");
  const path = location.fileAt(0);
  writeFileSync(path, "");
  const { cursor } = await tailLog(location, {});
  appendFileSync(path, `${"x".repeat(25)}\nafter\n`);
  const lines: string[] = [];
  let at = cursor;
  let skipped = 0;
  for (let more = true; more;) {
    // oxlint-disable-next-line no-await-in-loop
    const piece = await tailLog(location, { cursor: at, maxBytes: 10 });
    lines.push(...piece.lines);
    at = piece.cursor;
    skipped += piece.skippedBytes ?? 0;
    more = piece.more === true;
  }
  expect(skipped).toBe(20);
  expect(lines.at(-1)).toBe("after");
});

test("logs.tail: pieces of any size give every line once and in order, over rotations", async () => {
  const { home } = await place();
  mkdirSync(`${home}/state`);
  const step = fc.record({
    lines: fc.array(fc.string({ unit: "grapheme-ascii", maxLength: 8 }), { maxLength: 5 }),
    rotates: fc.boolean(),
    limit: fc.integer({ min: 1, max: 4 }),
    maxBytes: fc.integer({ min: 10, max: 40 }),
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const location = logLocation({
        config: { logging: { file: `${home}/run-${(run += 1)}.log` } },
        env: {},
        paths: { stateDir: home, home },
      });
      const path = location.fileAt(0);
      writeFileSync(path, "");
      let { cursor } = await tailLog(location, {});
      const expected: string[] = [];
      const seen: string[] = [];
      for (const { lines, rotates, limit, maxBytes } of steps) {
        appendFileSync(path, lines.map((line) => `${line}\n`).join(""));
        expected.push(...lines);
        if (rotates) {
          renameSync(path, `${path}.1`);
          writeFileSync(path, "");
        }
        for (let more = true; more;) {
          // oxlint-disable-next-line no-await-in-loop
          const piece = await tailLog(location, { cursor, limit, maxBytes });
          seen.push(...piece.lines);
          cursor = piece.cursor;
          more = piece.more === true;
        }
      }
      expect(seen).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});
