import { expect, test } from "vitest";
import { chooseWsLog, idleFlagWarnings, refuseFlags } from "./run-flags.ts";

test.each([
  [{ wsLog: "loud" }, /unknown --ws-log "loud"/, /auto, full, compact/],
  [{ reset: true }, /--reset is for --dev only/, /--dev --reset/],
])("R4: %j is refused with exit code 1 and a cure", (flags, message, hint) => {
  const refusal = refuseFlags(flags);
  expect(refusal).toMatchObject({ id: "R4", exitCode: 1 });
  expect(refusal?.message).toMatch(message);
  expect(refusal?.hints.join(" ")).toMatch(hint);
});

test.each([
  [{}, { style: "off", level: "debug" }],
  [{ verbose: true }, { style: "compact", level: "debug" }],
  [{ wsLog: "full" }, { style: "full", level: "info" }],
  [{ wsLog: "compact" }, { style: "compact", level: "info" }],
  [{ compact: true }, { style: "compact", level: "info" }],
])("with %j frames are logged as %j", (flags, choice) => {
  expect(refuseFlags(flags)).toBeUndefined();
  expect(chooseWsLog(flags)).toEqual(choice);
});

test("flags for what this Gateway does not run are taken, and said to do nothing", () => {
  const flags = {
    rawStream: true,
    rawStreamPath: "/x",
    claudeCliLogs: true,
    ambientChannels: true,
  };
  expect(idleFlagWarnings(flags).map((line) => line.split(" ", 1)[0])).toEqual([
    "--raw-stream",
    "--raw-stream-path",
    "--claude-cli-logs",
    "--ambient-channels",
  ]);
  expect(idleFlagWarnings({ rawStream: false, verbose: true })).toEqual([]);
});
