import { expect, test } from "vitest";
import { parsePrintedLines } from "../../../settings/printed-config.ts";
import { unsafeSettings } from "./safety-check.ts";
import type { SshOption } from "./ssh-options.ts";

const OPTIONS: readonly SshOption[] = [
  ["BatchMode", "yes"],
  ["ForwardAgent", "no"],
  ["RemoteCommand", "none"],
  ["Tunnel", "no"],
  ["StrictHostKeyChecking", "accept-new"],
  ["ForkAfterAuthentication", "no"],
  ["ControlMaster", "yes"],
  ["LogLevel", "DEBUG1"],
];
const SAFE = [
  "batchmode yes",
  "forwardagent no",
  "tunnel false",
  "stricthostkeychecking accept-new",
  "controlmaster true",
  "controlpath /tmp/x/c",
  "loglevel INFO",
];

function unsafe(change: readonly string[], without: readonly string[] = []): readonly string[] {
  const kept = SAFE.filter((line) => !without.some((name) => line.startsWith(`${name} `)));
  const printed = parsePrintedLines([...kept, ...change].join("\n"));
  return unsafeSettings(printed, OPTIONS, { controlPath: "/tmp/x/c" });
}

test("what is as it was asked for is safe, in either spelling", () => {
  expect(unsafe([])).toEqual([]);
});

test.each([
  ["forwardagent yes", "ForwardAgent"],
  ["forwardagent /run/agent", "ForwardAgent"],
  ["tunnel point-to-point", "Tunnel"],
  ["batchmode no", "BatchMode"],
  ["stricthostkeychecking false", "StrictHostKeyChecking"],
  ["controlmaster auto", "ControlMaster"],
  ["controlpath /home/me/.ssh/shared", "ControlPath"],
])("%s is named as %s", (line, name) => {
  const [keyword = ""] = line.split(" ");
  expect(unsafe([line], [keyword])).toEqual([name]);
});

test.each([
  ["remotecommand rm -r x", "RemoteCommand"],
  ["forkafterauthentication yes", "ForkAfterAuthentication"],
  ["localforward 8080 [localhost]:80", "LocalForward"],
  ["remoteforward 8080 [localhost]:80", "RemoteForward"],
  ["dynamicforward 1080", "DynamicForward"],
])("%s is named as %s where nothing should be", (line, name) => {
  expect(unsafe([line])).toEqual([name]);
});

test("what a release does not print that lacks it is safe, and anything else is not", () => {
  expect(unsafe([], ["forkafterauthentication"])).toEqual([]);
  expect(unsafe([], ["forwardagent"])).toEqual(["ForwardAgent"]);
  expect(unsafe([], ["controlpath"])).toEqual(["ControlPath"]);
});
