import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Admission, createAdmission } from "./admission.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Handshakes that come and go, beside one that stays. */
function crowd(admission: Admission, address: string): void {
  admission.enter(address, outcome());
  for (let n = 0; n < 8; n += 1) {
    admission.enter(address, outcome());
    admission.leave(address);
  }
  vi.advanceTimersByTime(10);
}

const outcome = () => ({ admitted: vi.fn(), refused: vi.fn() });

test("above the limit of a silent address a socket is refused at once", () => {
  const admission = createAdmission({ maxPerAddress: 1, maxTotal: 10 });
  admission.enter("a", outcome());
  const second = outcome();
  admission.enter("a", second);
  expect(second.refused).toHaveBeenCalledOnce();
  expect(vi.getTimerCount()).toBe(0);
});

test("in a crowd that moves a socket waits a moment for a place, in turn", () => {
  const admission = createAdmission({ maxPerAddress: 2, maxTotal: 10 });
  crowd(admission, "a");
  const [first, second, third] = [outcome(), outcome(), outcome()];
  for (const each of [first, second, third]) admission.enter("a", each);
  expect(first.admitted).toHaveBeenCalledOnce();
  expect(second.admitted).not.toHaveBeenCalled();
  admission.leave("a");
  expect(second.admitted).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(100);
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
  expect(c.refused).toHaveBeenCalledOnce();
});

test("a socket that goes while it waits gives up its turn", () => {
  const admission = createAdmission({ maxPerAddress: 2, maxTotal: 10 });
  crowd(admission, "a");
  const [first, gone] = [outcome(), outcome()];
  admission.enter("a", first);
  admission.enter("a", gone)();
  admission.leave("a");
  vi.advanceTimersByTime(1_000);
  expect(gone.admitted).not.toHaveBeenCalled();
  expect(gone.refused).not.toHaveBeenCalled();
});

test("the addresses of one IPv6 network share their places, as do those of this machine", () => {
  const admission = createAdmission({ maxPerAddress: 1, maxTotal: 10 });
  const admitted = (address: string): boolean => {
    const { admitted: yes, ...no } = outcome();
    admission.enter(address, { admitted: yes, ...no });
    return yes.mock.calls.length === 1;
  };
  expect(admitted("2001:db8::1")).toBe(true);
  expect(admitted("2001:db8::2")).toBe(false);
  expect(admitted("2001:db8:0:1::1")).toBe(true);
  expect(admitted("127.0.0.1")).toBe(true);
  expect(admitted("::1")).toBe(false);
  admission.leave("2001:db8::1");
  expect(admitted("2001:db8::2")).toBe(true);
});

test("strangers who take every place leave this machine its own", () => {
  const admission = createAdmission({ maxPerAddress: 1, maxTotal: 2 });
  for (const address of ["192.0.2.1", "2001:db8::1", "2001:db8:0:1::1"])
    admission.enter(address, outcome());
  const [local, another, stranger] = [outcome(), outcome(), outcome()];
  admission.enter("127.0.0.1", local);
  admission.enter("127.0.0.1", another);
  admission.enter("192.0.2.9", stranger);
  expect(local.admitted).toHaveBeenCalledOnce();
  expect(another.refused).toHaveBeenCalledOnce();
  expect(stranger.refused).toHaveBeenCalledOnce();
  // Nor does it take theirs.
  admission.leave("192.0.2.1");
  const next = outcome();
  admission.enter("192.0.2.9", next);
  expect(next.admitted).toHaveBeenCalledOnce();
});
