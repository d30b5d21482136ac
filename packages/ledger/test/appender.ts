// Appends until it is killed, and reports on stdout what was acknowledged.
import { writeSync } from "node:fs";
import process from "node:process";
import { createFileLedger } from "@openclaw/ledger";

const [directory = "", prefix = ""] = process.argv.slice(2);
const ledger = createFileLedger({ directory, segmentBytes: 20_000, syncIntervalMs: 5 });

let next = 0;

/** Synchronous, so that what was acknowledged before the kill has left this process. */
function report(line: string): void {
  for (;;) {
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      // The pipe is full, and the reader is about to empty it.
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
    }
  }
}

function begin(): void {
  const key = `${prefix}-${next}`;
  next += 1;
  ledger.open({ key, fingerprint: `print of ${key}`, meta: { key } }, (openError) => {
    if (openError !== undefined) throw openError;
    report(`o ${key}\n`);
    ledger.finish(key, `outcome of ${key} ${"x".repeat(next % 300)}`, (finishError) => {
      if (finishError !== undefined) throw finishError;
      report(`f ${key}\n`);
      begin();
    });
  });
}

for (let index = 0; index < 8; index += 1) begin();
