import { expect, test } from "vitest";
import { isSupervised, type Surroundings } from "./supervised.ts";

const SHELL: Surroundings = {
  platform: "linux",
  env: {},
  stdinIsTTY: false,
  parentPid: 4711,
  streamId: () => "8:99",
  ownLabel: "ai.openclaw.gateway",
};

test.each<[string, Partial<Surroundings>, boolean]>([
  ["a script", {}, false],
  ["a unit that logs to the journal", { env: { JOURNAL_STREAM: "8:99" } }, true],
  [
    "a unit of which only stderr goes to the journal",
    {
      env: { JOURNAL_STREAM: "8:99" },
      streamId: (descriptor) => (descriptor === 2 ? "8:99" : "1:2"),
    },
    true,
  ],
  ["a unit that logs elsewhere", { env: { INVOCATION_ID: "abc" }, parentPid: 1 }, true],
  [
    "a terminal of a desktop that systemd runs",
    { env: { INVOCATION_ID: "abc", JOURNAL_STREAM: "8:1" } },
    false,
  ],
  [
    "somebody at a terminal whose output is the journal's",
    { env: { JOURNAL_STREAM: "8:99" }, stdinIsTTY: true },
    false,
  ],
  ["a container's first child", { parentPid: 1 }, false],
  ["a job of launchd", { platform: "darwin", env: { XPC_SERVICE_NAME: "com.me.gateway" } }, true],
  [
    "our own agent",
    { platform: "darwin", env: { XPC_SERVICE_NAME: "ai.openclaw.gateway" } },
    false,
  ],
  ["Terminal.app", { platform: "darwin", env: { XPC_SERVICE_NAME: "0" } }, false],
  [
    "an app's shell",
    { platform: "darwin", env: { XPC_SERVICE_NAME: "application.com.apple.Terminal.1" } },
    false,
  ],
  ["Windows", { platform: "win32", env: { INVOCATION_ID: "abc" }, parentPid: 1 }, false],
])("%s: %o is supervised: %s", (_name, change, expected) => {
  expect(isSupervised({ ...SHELL, ...change })).toBe(expected);
});
