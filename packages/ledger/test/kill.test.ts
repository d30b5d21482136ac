import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createFileLedger } from "@openclaw/ledger";
import { expect, onTestFinished, test } from "vitest";

const appender = fileURLToPath(new URL("appender.ts", import.meta.url));

/** Runs the appender and kills it after it has written about `lines` lines. Resolves to its output. */
function appendAndKill(directory: string, prefix: string, lines: number): Promise<string> {
  const child = spawn(
    process.execPath,
    [
      "--conditions=@openclaw/source",
      "--disable-warning=ExperimentalWarning",
      appender,
      directory,
      prefix,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let output = "";
  let seen = 0;
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text: string) => {
    output += text;
    seen += text.split("\n").length - 1;
    if (seen >= lines) child.kill("SIGKILL");
  });
  return new Promise((resolve, reject) => {
    child.once("close", (code, signal) => {
      if (signal === "SIGKILL") resolve(output);
      else reject(new Error(`the appender ended by itself with ${code}`));
    });
  });
}

test("everything acknowledged before kill -9 is there afterwards, round after round", async () => {
  const directory = mkdtempSync(join(tmpdir(), "ledger-kill-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const opened = new Set<string>();
  const finished = new Set<string>();
  for (let round = 0; round < 12; round += 1) {
    // Other points each time: in the first lines, around a new segment, later.
    const output = await appendAndKill(directory, `r${round}`, 1 + round * 97);
    const whole = output.slice(0, output.lastIndexOf("\n") + 1);
    for (const line of whole.split("\n")) {
      if (line.startsWith("o ")) opened.add(line.slice(2));
      if (line.startsWith("f ")) finished.add(line.slice(2));
    }
    const ledger = createFileLedger({ directory, maxEntries: 100_000 });
    try {
      for (const key of opened) expect(ledger.get(key)?.fingerprint).toBe(`print of ${key}`);
      for (const key of finished) {
        expect(ledger.get(key)?.stage).toBe("finished");
        expect(ledger.outcome(key)).toMatch(`outcome of ${key} `);
      }
    } finally {
      await ledger.close();
    }
  }
  expect(finished.size).toBeGreaterThan(1_000);
}, 60_000);
