import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import JSON5 from "json5";
import { expect, onTestFinished, test } from "vitest";

const PROCESSES = Number(process.env["OPENCLAW_CLOBBER_PROCESSES"] ?? 8);
const EDITS = Number(process.env["OPENCLAW_CLOBBER_EDITS"] ?? 500);
/** How often each process is killed while it works. */
const KILLS = 1;

const program = fileURLToPath(new URL("support/clobber-process.ts", import.meta.url));

/** What a process has asked for and been told. */
interface Writer {
  readonly name: string;
  /** Number of the last acknowledged edit of each key. */
  readonly acknowledged: Map<string, number>;
  /** Edits begun and not acknowledged, since the process was killed: they may be there or not. */
  readonly unknown: Set<number>;
}

function startWriter(path: string, { name }: Writer, from: number): ChildProcess {
  const child = spawn(
    process.execPath,
    ["--conditions=@openclaw/source", program, path, name, String(from), String(EDITS)],
    { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, NODE_NO_WARNINGS: "1" } },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** Makes all edits of one process, which is killed at random and begins again where it was. */
async function write(path: string, writer: Writer): Promise<void> {
  const killsAt = Array.from({ length: KILLS }, () => Math.floor(Math.random() * EDITS * 0.8));
  for (let next = 0; next < EDITS;) {
    const child = startWriter(path, writer, next);
    if (child.stdout === null) throw new Error("no pipe");
    const lines = createInterface({ input: child.stdout });
    const closed = once(child, "close") as Promise<[number | null]>;
    // oxlint-disable-next-line no-await-in-loop -- the next process begins when this one has ended
    for await (const line of lines) {
      const [key = "", number = ""] = line.split(" ");
      writer.acknowledged.set(key, Number(number));
      next = Number(number) + 1;
      const dueAt = killsAt.findIndex((at) => at < next);
      if (dueAt === -1) continue;
      killsAt.splice(dueAt, 1);
      // Somewhere in the next edit, or between two of them.
      setTimeout(() => child.kill("SIGKILL"), Math.random() * 40);
    }
    // oxlint-disable-next-line no-await-in-loop
    const [code] = await closed;
    if (code === 0) return;
    expect(code).toBeNull();
    writer.unknown.add(next);
    next += 1;
  }
}

/** Reads without a lock until `isDone`; returns how often, and rejects when a text is no config. */
async function watch(path: string, isDone: () => boolean): Promise<number> {
  let reads = 0;
  while (!isDone()) {
    // oxlint-disable-next-line no-await-in-loop
    const text = await readFile(path, "utf8");
    const config: unknown = JSON5.parse(text);
    expect(config).toHaveProperty("gateway.port", 18_789);
    expect(text).toContain("// kept");
    reads += 1;
    // oxlint-disable-next-line no-await-in-loop -- leaves the processor to those who write
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return reads;
}

test(
  "processes that edit at once, some of them killed, lose no edit that was acknowledged",
  { timeout: Math.max(180_000, EDITS * PROCESSES * 60) },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "openclaw-clobber-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, "openclaw.json");
    await writeFile(path, "{\n  // kept\n  gateway: { port: 18789 },\n}\n");
    const writers = Array.from({ length: PROCESSES }, (_, index): Writer => {
      return { name: `P${index}`, acknowledged: new Map(), unknown: new Set() };
    });
    let isDone = false;
    const reading = watch(path, () => isDone);
    const writing = Promise.all(writers.map((writer) => write(path, writer)));
    writing.then(
      () => (isDone = true),
      () => (isDone = true),
    );
    const [reads] = await Promise.all([reading, writing]);

    const { env } = JSON5.parse<{ env: Record<string, string> }>(await readFile(path, "utf8"));
    for (const { acknowledged, unknown } of writers) {
      for (const [key, number] of acknowledged) {
        const found = Number(env[key]);
        // A later edit may have been written, and its acknowledgement lost with the process.
        if (found !== number) expect(unknown).toContain(found);
        expect(found).toBeGreaterThanOrEqual(number);
      }
    }
    expect(writers.some(({ unknown }) => unknown.size > 0)).toBe(true);
    expect(reads).toBeGreaterThan(0);
    const left = (await readdir(dirname(path))).filter((name) => /\.lock$|\.over-/u.test(name));
    expect(left).toEqual([]);
  },
);
