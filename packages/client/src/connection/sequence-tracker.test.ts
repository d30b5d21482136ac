import { expect, test } from "vitest";
import { createSequenceTracker } from "./sequence-tracker.ts";

test("from protocol 4 on events count from 1, so a missing first one is a gap", () => {
  const track = createSequenceTracker(4);
  expect(track(3)).toEqual({ expected: 1, received: 3 });
  expect(track(4)).toBeUndefined();
  expect(track(7)).toEqual({ expected: 5, received: 7 });
});

test("with protocol 3 only the steps after the first event are known", () => {
  const track = createSequenceTracker(3);
  expect(track(90)).toBeUndefined();
  expect(track(92)).toEqual({ expected: 91, received: 92 });
});

test("events without a number, and numbers that go back, are no gap", () => {
  const track = createSequenceTracker(4);
  expect(track(undefined)).toBeUndefined();
  expect(track(1)).toBeUndefined();
  expect(track(1)).toBeUndefined();
  expect(track(2)).toBeUndefined();
});
