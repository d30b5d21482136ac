import { expect, test } from "vitest";
import { applyProfile, parseProfileFlags } from "./profiles.ts";

test.each([
  [["status"], undefined, ["status"]],
  [["--profile", "rescue", "status"], "rescue", ["status"]],
  [["--profile=rescue", "status"], "rescue", ["status"]],
  [["--dev", "status"], "dev", ["status"]],
  [["--no-color", "--profile", "a", "status"], "a", ["--no-color", "status"]],
  [["--log-level", "debug", "--dev", "status"], "dev", ["--log-level", "debug", "status"]],
  // Behind the command the words are the command's own.
  [["gateway", "run", "--dev"], undefined, ["gateway", "run", "--dev"]],
  [["nodes", "--profile", "x"], undefined, ["nodes", "--profile", "x"]],
  [["--", "--dev"], undefined, ["--", "--dev"]],
])("of %j the profile is %j and %j remains", (argv, profile, rest) => {
  expect(parseProfileFlags(argv)).toEqual({ ok: true, profile, argv: rest });
});

test.each([
  [["--profile"]],
  [["--profile="]],
  [["--profile", "../etc"]],
  [["--profile", "-x"]],
  [["--profile", "a".repeat(65)]],
  [["--profile", "a", "--dev"]],
])("%j is refused", (argv) => {
  expect(parseProfileFlags(argv)).toMatchObject({ ok: false });
});

test("a profile sets only what is not set", () => {
  expect(applyProfile({}, "dev", "/home/u")).toEqual({
    OPENCLAW_PROFILE: "dev",
    OPENCLAW_STATE_DIR: "/home/u/.openclaw-dev",
    OPENCLAW_CONFIG_PATH: "/home/u/.openclaw-dev/openclaw.json",
    OPENCLAW_GATEWAY_PORT: "19001",
  });
  expect(
    applyProfile({ CLAWDBOT_STATE_DIR: "/s", OPENCLAW_GATEWAY_PORT: "7" }, "dev", "/home/u"),
  ).toEqual({
    CLAWDBOT_STATE_DIR: "/s",
    OPENCLAW_PROFILE: "dev",
    OPENCLAW_CONFIG_PATH: "/s/openclaw.json",
    OPENCLAW_GATEWAY_PORT: "7",
  });
});

test("a name that could leave the home directory is an error", () => {
  expect(() => applyProfile({}, "../x", "/home/u")).toThrow(
    expect.objectContaining({ code: "INVALID_PROFILE" }),
  );
});
