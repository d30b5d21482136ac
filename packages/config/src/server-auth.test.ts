import { expect, test } from "vitest";
import { resolveServerAuth, type ServerAuthOptions } from "./server-auth.ts";

function resolve(gateway: object, options: Partial<ServerAuthOptions> = {}) {
  return resolveServerAuth({
    env: {},
    config: { gateway },
    unresolved: [],
    randomToken: () => "random",
    ...options,
  });
}

test.each<[string, object, Partial<ServerAuthOptions>, object, string | undefined]>([
  [
    "a token of the config",
    { auth: { token: "t" } },
    {},
    { mode: "token", token: "t" },
    "gateway.auth.token",
  ],
  [
    "config before environment",
    { auth: { token: "t" } },
    { env: { OPENCLAW_GATEWAY_TOKEN: "e" } },
    { mode: "token", token: "t" },
    "gateway.auth.token",
  ],
  [
    "an old variable",
    {},
    { env: { CLAWDBOT_GATEWAY_TOKEN: "e" } },
    { mode: "token", token: "e" },
    "CLAWDBOT_GATEWAY_TOKEN",
  ],
  [
    "a known password decides the mode",
    { auth: { token: "t" } },
    { env: { OPENCLAW_GATEWAY_PASSWORD: "p" } },
    { mode: "password", password: "p" },
    "OPENCLAW_GATEWAY_PASSWORD",
  ],
  [
    "the configured mode decides before that",
    { auth: { mode: "token", token: "t", password: "p" } },
    {},
    { mode: "token", token: "t" },
    "gateway.auth.token",
  ],
  [
    "a flag decides before a password of the environment",
    {},
    { flags: { token: "f" }, env: { OPENCLAW_GATEWAY_PASSWORD: "p" } },
    { mode: "token", token: "f" },
    "--token",
  ],
  [
    "--auth before everything",
    { auth: { mode: "token", token: "t", password: "p" } },
    { flags: { auth: "password" } },
    { mode: "password", password: "p" },
    "gateway.auth.password",
  ],
  ["none on loopback", { auth: { mode: "none" } }, {}, { mode: "none" }, undefined],
  [
    "a proxy that says who its users are",
    {
      trustedProxies: ["10.0.0.1"],
      auth: { mode: "trusted-proxy", trustedProxy: { userHeader: "x-user", allowUsers: ["ada"] } },
    },
    {},
    { mode: "trusted-proxy", userHeader: "x-user", allowUsers: ["ada"], allowLoopback: false },
    "gateway.auth.trustedProxy",
  ],
])("%s", (_, gateway, options, auth, source) => {
  expect(resolve(gateway, options)).toMatchObject({ ok: true, auth, source });
});

test("on loopback a missing token is made up for this run, with a way to keep one", () => {
  expect(resolve({})).toEqual({
    ok: true,
    auth: { mode: "token", token: "random" },
    source: "generated",
    warnings: [expect.stringMatching(/gateway\.auth\.token.*OPENCLAW_GATEWAY_TOKEN/u)],
  });
});

test("gateway.remote.token is never a source, and its owner is told", () => {
  const result = resolve({ remote: { token: "r" } });
  expect(result).toMatchObject({ source: "generated", auth: { token: "random" } });
  expect(JSON.stringify(result)).toContain("gateway.remote.token is for clients");
});

test.each<[string, object, Partial<ServerAuthOptions>, string, RegExp]>([
  [
    "trusted-proxy",
    { auth: { mode: "trusted-proxy", trustedProxy: { userHeader: "x-user" } } },
    {},
    "gateway.trustedProxies",
    /CIDR/u,
  ],
  [
    "trusted-proxy",
    { auth: { mode: "trusted-proxy" }, trustedProxies: ["10.0.0.1"] },
    {},
    "gateway.auth.trustedProxy.userHeader",
    /x-forwarded-user/u,
  ],
  ["R5", {}, { flags: { auth: "open" } }, "--auth", /"token"/u],
  [
    "R6",
    { bind: "lan", auth: { mode: "token", password: "p" } },
    {},
    "gateway.auth.token",
    /OPENCLAW_GATEWAY_TOKEN/u,
  ],
  ["R7", { auth: { mode: "password" } }, {}, "gateway.auth.password", /OPENCLAW_GATEWAY_PASSWORD/u],
  ["R8", { bind: "lan" }, {}, "gateway.bind", /gateway\.auth\.token.*OPENCLAW_GATEWAY_PASSWORD/u],
  ["R8", { bind: "auto" }, {}, "gateway.bind", /loopback/u],
  ["R8", {}, { flags: { bind: "tailnet" } }, "gateway.bind", /loopback/u],
  ["R8", { bind: "lan", auth: { mode: "none", token: "t" } }, {}, "gateway.bind", /loopback/u],
])("%s: %j with %j is refused over %s", (id, gateway, options, key, hint) => {
  const exitCode = key === "--auth" ? 1 : 78;
  expect(resolve(gateway, options)).toMatchObject({
    ok: false,
    refusal: { id, key, hint: expect.stringMatching(hint), exitCode },
  });
});

test.each([
  ["password", "R7"],
  ["token", "R6"],
])("a %s whose variable is missing is refused, not replaced", (field, id) => {
  const unresolved = [{ path: `gateway.auth.${field}`, name: "SECRET" }];
  const env = { OPENCLAW_GATEWAY_TOKEN: "e", OPENCLAW_GATEWAY_PASSWORD: "e" };
  const gateway = { auth: { mode: field } };
  expect(resolve(gateway, { unresolved, env })).toMatchObject({
    ok: false,
    refusal: { id, key: `gateway.auth.${field}`, message: expect.stringContaining("${SECRET}") },
  });
  expect(resolve(gateway, { unresolved, flags: { [field]: "f" } })).toMatchObject({ ok: true });
});

test("a password that is meant but missing is not answered by token mode", () => {
  const unresolved = [{ path: "gateway.auth.password", name: "SECRET" }];
  expect(resolve({ auth: { token: "t" } }, { unresolved })).toMatchObject({
    ok: false,
    refusal: { id: "R7" },
  });
});

test("a flag that the mode does not use is pointed out", () => {
  const result = resolve({ auth: { mode: "password", password: "p" } }, { flags: { token: "f" } });
  expect(result).toMatchObject({
    ok: true,
    warnings: [expect.stringContaining("--token is not used")],
  });
});
