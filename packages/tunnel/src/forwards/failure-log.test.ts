import { expect, onTestFinished, test, vi } from "vitest";
import { TunnelError } from "../errors.ts";
import { silentLogger } from "../logger.ts";
import { createFailureLog } from "./failure-log.ts";

test("logs each cause once, and again after a while with the number it stands for", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const warn = vi.fn();
  const log = createFailureLog({ ...silentLogger, warn });
  const closed = new TunnelError("REMOTE_PORT_CLOSED", "nothing there.");
  for (const error of [closed, closed, new TunnelError("TIMED_OUT", "no answer."), closed]) {
    log(error, "reset", { port: 1 });
  }
  expect(warn.mock.calls).toMatchObject([
    [{ port: 1, code: "REMOTE_PORT_CLOSED", err: closed }, "reset"],
    [{ port: 1, code: "TIMED_OUT" }, "reset"],
  ]);
  vi.advanceTimersByTime(60_000);
  log(closed, "reset", {});
  log(closed, "reset", {});
  expect(warn).toHaveBeenCalledTimes(3);
  expect(warn.mock.lastCall?.[0]).toMatchObject({ code: "REMOTE_PORT_CLOSED", repeated: 2 });
});

test("takes whatever was thrown", () => {
  const warn = vi.fn();
  const log = createFailureLog({ ...silentLogger, warn });
  log(undefined, "reset", {});
  log("a string", "reset", {});
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.lastCall?.[0]).toMatchObject({ code: "unknown" });
});
