import { expect, test } from "vitest";
import { readCount, readPort, readSeconds } from "./read-value.ts";

test.each([
  ["0", 0],
  ["90", 90],
  ["2m", 120],
  ["1h30m", 5_400],
  ["1H30", 3_630],
  ["1w2d", 777_600],
])("%j is %s seconds", (text, seconds) => {
  expect(readSeconds(text)).toBe(seconds);
});

test.each(["", "m", "-1", "1.5", "1x", "1 m", "99999999999"])("%j is no time", (text) => {
  expect(readSeconds(text)).toBeUndefined();
});

test("a port is a number or the name of a service", () => {
  expect(readPort("22")).toBe(22);
  expect(readPort("ssh")).toBe(22);
  for (const text of ["0", "65536", "-1", "no-such-service", "../x", ""]) {
    expect(readPort(text)).toBeUndefined();
  }
});

test("a count is a whole number that fits into 31 bits", () => {
  expect(readCount("2147483647")).toBe(2_147_483_647);
  for (const text of ["2147483648", "-1", "1e3", ""]) expect(readCount(text)).toBeUndefined();
});
