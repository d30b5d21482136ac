import { expect, onTestFinished, test, vi } from "vitest";
import { showProgress } from "../lib/progress.mjs";

function createOutput(isTTY: boolean) {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const chunks: string[] = [];
  return { isTTY, write: (text: string) => void chunks.push(text), chunks };
}

test("without a terminal there is a line at once, one now and then, and no control character", () => {
  const out = createOutput(false);
  const progress = showProgress("Installing", out);
  progress.detail("12 packages");
  vi.advanceTimersByTime(30_000);
  progress.done("Installed");
  expect(out.chunks).toEqual([
    "Installing …\n",
    "Installing … 15 s, 12 packages\n",
    "Installing … 30 s, 12 packages\n",
    "Installed (30.0 s)\n",
  ]);
});

test("on a terminal one line is rewritten every second", () => {
  const out = createOutput(true);
  const progress = showProgress("Building", out);
  vi.advanceTimersByTime(2_000);
  progress.done("Built");
  expect(out.chunks).toEqual([
    "Building … 0 s",
    "\r\u001B[2KBuilding … 1 s",
    "\r\u001B[2KBuilding … 2 s",
    "\r\u001B[2KBuilt (2.0 s)\n",
  ]);
});

test("nothing ticks after the end", () => {
  const out = createOutput(false);
  showProgress("Building", out).done("Built");
  expect(vi.getTimerCount()).toBe(0);
});
