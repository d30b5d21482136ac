import { expect, test } from "vitest";
import { isEnvSwitchOn, normalizeEnv, readEnv } from "./env.ts";

test("the current name wins over the old ones, and CLAWDBOT over MOLTBOT", () => {
  const env = { OPENCLAW_X: "new", CLAWDBOT_X: "old", MOLTBOT_X: "older" };
  expect(readEnv(env, "OPENCLAW_X")).toEqual({ value: "new", name: "OPENCLAW_X" });
  expect(readEnv({ ...env, OPENCLAW_X: undefined }, "OPENCLAW_X")?.name).toBe("CLAWDBOT_X");
  expect(readEnv({ MOLTBOT_X: "older" }, "OPENCLAW_X")?.name).toBe("MOLTBOT_X");
});

test("a blank value counts as unset", () => {
  expect(readEnv({ OPENCLAW_X: "  ", CLAWDBOT_X: " v " }, "OPENCLAW_X")?.value).toBe("v");
  expect(readEnv({ OPENCLAW_X: "" }, "OPENCLAW_X")).toBeUndefined();
});

test("a name that every object inherits is not a variable", () => {
  expect(readEnv({}, "OPENCLAW_X")).toBeUndefined();
  expect(readEnv({ OPENCLAW_X: "1" }, "OPENCLAW_toString")).toBeUndefined();
});

test("old names are copied to new ones with one line that holds no value", () => {
  const env = { CLAWDBOT_GATEWAY_TOKEN: "s3cret", MOLTBOT_PROFILE: "p", PATH: "/bin" };
  const { env: result, warnings } = normalizeEnv(env);
  expect(result).toMatchObject({ OPENCLAW_GATEWAY_TOKEN: "s3cret", OPENCLAW_PROFILE: "p" });
  expect(warnings).toEqual([
    "Old environment variable names are in use: CLAWDBOT_GATEWAY_TOKEN (now OPENCLAW_GATEWAY_TOKEN), MOLTBOT_PROFILE (now OPENCLAW_PROFILE).",
  ]);
  expect(env).not.toHaveProperty("OPENCLAW_GATEWAY_TOKEN");
});

test("an old name beside its new one is ignored in silence", () => {
  const { env, warnings } = normalizeEnv({ OPENCLAW_X: "new", CLAWDBOT_X: "old" });
  expect(env["OPENCLAW_X"]).toBe("new");
  expect(warnings).toEqual([]);
});

test.each([
  ["1", true],
  ["true", true],
  ["0", false],
  ["", false],
])("a switch set to %j is on: %j", (value, isOn) => {
  expect(isEnvSwitchOn({ OPENCLAW_S: value }, "OPENCLAW_S")).toBe(isOn);
});
