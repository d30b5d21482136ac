import { expect, test } from "vitest";
import { parseBenchOptions, SUITES } from "./bench-options.ts";

test("without arguments everything is measured", () => {
  expect(parseBenchOptions([])).toMatchObject({ suites: SUITES, isQuick: false });
});

test("suites are chosen by name, and unknown ones are refused", () => {
  expect(parseBenchOptions(["--only", "rpc,invoke"])?.suites).toEqual(["rpc", "invoke"]);
  expect(() => parseBenchOptions(["--only", "speed"])).toThrow(/not speed/);
  expect(() => parseBenchOptions(["--gateway", "x"])).toThrow(/cli or core/);
});

test("a peer is an exact version, since it becomes the name of a folder", () => {
  expect(parseBenchOptions(["--peer", "2026.9.6"])?.peerVersion).toBe("2026.9.6");
  expect(() => parseBenchOptions(["--peer", "../x"])).toThrow(/exact version/);
});
