import { expect, test } from "vitest";
import { parseTourArgs } from "./tour-args.ts";

test("stays up on the usual port unless told otherwise", () => {
  expect(parseTourArgs([])).toEqual({ kind: "run", args: { once: false, port: 18_789 } });
  expect(parseTourArgs(["--once", "--port", "4000"])).toEqual({
    kind: "run",
    args: { once: true, port: 4_000 },
  });
});

test("refuses what it does not know, and ports that do not exist", () => {
  expect(parseTourArgs(["--onec"])).toMatchObject({ kind: "invalid" });
  for (const port of ["", "-1", "65536", "1e3", "http"]) {
    expect(parseTourArgs([`--port=${port}`])).toMatchObject({ kind: "invalid" });
  }
});
