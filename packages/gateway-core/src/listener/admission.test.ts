import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createAdmission } from "./admission.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const outcome = () => ({ admitted: vi.fn(), refused: vi.fn() });

test("a socket above the limit of its address waits a moment for a place, in turn", () => {
  const admission = createAdmission({ maxPerAddress: 1, maxTotal: 10 });
  const [first, second, third] = [outcome(), outcome(), outcome()];
  for (const each of [first, second, third]) admission.enter("a", each);
  expect(first.admitted).toHaveBeenCalledOnce();
  expect(second.admitted).not.toHaveBeenCalled();
  admission.leave("a");
  expect(second.admitted).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(250);
  expect(third.refused).toHaveBeenCalledOnce();
  admission.leave("a");
  expect(third.admitted).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

test("one address does not take the places of another, but all together have a limit", () => {
  const admission = createAdmission({ maxPerAddress: 1, maxTotal: 2 });
  const [a, b, c] = [outcome(), outcome(), outcome()];
  admission.enter("a", a);
  admission.enter("b", b);
  admission.enter("c", c);
  expect([a, b, c].map(({ admitted }) => admitted.mock.calls.length)).toEqual([1, 1, 0]);
  admission.leave("b");
  expect(c.admitted).toHaveBeenCalledOnce();
});

test("a socket that goes while it waits gives up its turn", () => {
  const admission = createAdmission({ maxPerAddress: 1, maxTotal: 10 });
  const [first, gone] = [outcome(), outcome()];
  admission.enter("a", first);
  admission.enter("a", gone)();
  admission.leave("a");
  vi.advanceTimersByTime(1_000);
  expect(gone.admitted).not.toHaveBeenCalled();
  expect(gone.refused).not.toHaveBeenCalled();
});
