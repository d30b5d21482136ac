import { expect, test } from "vitest";
import { childEnv } from "./child-env.ts";

test("the node's credentials are left out, however Windows writes their names", () => {
  const base = { Path: "C:\\Windows", openclaw_gateway_token: "t", OPENCLAW_GATEWAY_PASSWORD: "p" };
  const env = childEnv({ base, overrides: {}, platform: "win32" });
  expect(env).toEqual({ Path: "C:\\Windows" });
});

test("a name that other systems tell apart is another name there", () => {
  const base = { openclaw_gateway_token: "mine", OPENCLAW_GATEWAY_TOKEN: "t" };
  expect(childEnv({ base, overrides: {}, platform: "linux" })).toEqual({
    openclaw_gateway_token: "mine",
  });
});

test("names that are none, and members that every object has, change nothing", () => {
  const overrides = JSON.parse(
    '{"": "x", "A=B": "x", "N\\u0000": "x", "OK\\u0000": "x", "__proto__": "x", "FINE": "1"}',
  );
  const env = childEnv({ base: { PATH: "/usr/bin" }, overrides, platform: "linux" });
  expect(env).toEqual({ PATH: "/usr/bin", FINE: "1" });
  expect(Object.getPrototypeOf(env)).toBe(Object.prototype);
});
