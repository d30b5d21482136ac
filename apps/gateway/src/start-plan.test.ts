import type { LoadedConfig, OpenClawConfig } from "@openclaw/config";
import { expect, test } from "vitest";
import { type GatewayRunFlags, planStart, type StartDecision } from "./start-plan.ts";

interface Case {
  flags?: GatewayRunFlags;
  /** undefined: there is no file. */
  config?: OpenClawConfig;
  env?: Record<string, string>;
  tailnet?: { ipv4?: string; ipv6?: string };
}

function decide({ flags = {}, config, env = {}, tailnet = {} }: Case): StartDecision {
  const loaded: LoadedConfig = {
    ok: true,
    path: "/home/u/.openclaw/openclaw.json",
    exists: config !== undefined,
    config: config ?? {},
    env,
    unresolved: [],
    warnings: [],
    includes: [],
  };
  return planStart({
    flags,
    env,
    paths: { configPath: loaded.path },
    loaded,
    command: "openclaw gateway run",
    tailnet,
  });
}

const local = (gateway: NonNullable<OpenClawConfig["gateway"]> = {}): OpenClawConfig => ({
  gateway: { mode: "local", ...gateway },
});

const refusals: [
  title: string,
  input: Case,
  refusal: { id: string; exitCode: number; message: RegExp },
][] = [
  ["R1: no config file", {}, { id: "R1", exitCode: 78, message: /no config file/ }],
  [
    "R1: a secret in the environment is not enough",
    { env: { OPENCLAW_GATEWAY_TOKEN: "t" } },
    { id: "R1", exitCode: 78, message: /no config file/ },
  ],
  [
    "R2: mode is not set",
    { config: { gateway: {} } },
    { id: "R2", exitCode: 78, message: /gateway\.mode is not set/ },
  ],
  [
    "R2: mode is remote, whatever the flags say",
    { config: { gateway: { mode: "remote" } }, flags: { token: "t" } },
    { id: "R2", exitCode: 78, message: /gateway\.mode is remote/ },
  ],
  [
    "R3: a port that is none",
    { flags: { token: "t", port: "eighty" } },
    { id: "R3", exitCode: 78, message: /--port.*"eighty"/ },
  ],
  [
    "R3: a port out of range",
    { flags: { token: "t", port: "70000" } },
    { id: "R3", exitCode: 78, message: /70000/ },
  ],
  [
    "R4: an unknown bind",
    { flags: { token: "t", bind: "wan" } },
    { id: "R4", exitCode: 1, message: /unknown --bind "wan"/ },
  ],
  [
    "R5: an unknown auth mode",
    { flags: { token: "t", auth: "kerberos" } },
    { id: "R5", exitCode: 1, message: /kerberos/ },
  ],
  [
    "R5: an unknown tailscale mode",
    { flags: { token: "t", tailscale: "on" } },
    { id: "R5", exitCode: 1, message: /tailscale/ },
  ],
  [
    "R7: mode password without one",
    { config: local({ auth: { mode: "password" } }) },
    { id: "R7", exitCode: 78, message: /no password/ },
  ],
  [
    "R8: beyond loopback without a secret",
    { config: local({ bind: "lan" }) },
    { id: "R8", exitCode: 78, message: /refusing to bind "lan"/ },
  ],
  [
    "R8: auto counts as beyond loopback",
    { config: local({ bind: "auto" }) },
    { id: "R8", exitCode: 78, message: /auto/ },
  ],
  [
    "R8: none beyond loopback",
    { flags: { auth: "none", bind: "lan" } },
    { id: "R8", exitCode: 78, message: /auth mode is none/ },
  ],
  [
    "R14: custom without a host",
    { config: local({ bind: "custom", auth: { token: "t" } }) },
    { id: "R14", exitCode: 78, message: /customBindHost/ },
  ],
  [
    "R14: custom with what is no address",
    { config: local({ bind: "custom", customBindHost: "box", auth: { token: "t" } }) },
    { id: "R14", exitCode: 78, message: /"box", which is no IP address/ },
  ],
  [
    "R5: an unknown --tailscale",
    { flags: { token: "t", tailscale: "on" } },
    { id: "R5", exitCode: 1, message: /unknown --tailscale "on"/ },
  ],
  [
    "R9: funnel with a token",
    { flags: { token: "t", tailscale: "funnel" } },
    { id: "R9", exitCode: 78, message: /--tailscale is funnel.*needs auth mode password/ },
  ],
  [
    "R9: funnel without any secret",
    { config: local({ auth: { mode: "none" }, tailscale: { mode: "funnel" } }) },
    { id: "R9", exitCode: 78, message: /gateway\.tailscale\.mode is funnel/ },
  ],
  [
    "R7: funnel whose password refers to a variable that is not set",
    {
      config: local({ tailscale: { mode: "funnel" }, auth: { mode: "password" } }),
    },
    { id: "R7", exitCode: 78, message: /no password/ },
  ],
  [
    "R8: serve with auth mode none",
    { flags: { auth: "none", tailscale: "serve" } },
    { id: "R8", exitCode: 78, message: /everybody in the tailnet/ },
  ],
  [
    "R10: serve with bind tailnet, when the tailnet has an address here",
    {
      flags: { token: "t", bind: "tailnet", tailscale: "serve" },
      tailnet: { ipv4: "100.64.0.7" },
    },
    { id: "R10", exitCode: 78, message: /needs gateway\.bind to be loopback/ },
  ],
  [
    "R10: serve with bind lan",
    { flags: { token: "t", bind: "lan", tailscale: "serve" } },
    { id: "R10", exitCode: 78, message: /it is lan \(0\.0\.0\.0\)/ },
  ],
  [
    "trusted-proxy without a proxy",
    { config: local({ auth: { mode: "trusted-proxy", trustedProxy: { userHeader: "x-user" } } }) },
    { id: "trusted-proxy", exitCode: 78, message: /trustedProxies lists no proxy/ },
  ],
  [
    "trusted-proxy without the header of the user",
    { config: local({ auth: { mode: "trusted-proxy" }, trustedProxies: ["10.0.0.2"] }) },
    { id: "trusted-proxy", exitCode: 78, message: /userHeader is not set/ },
  ],
];

test.each(refusals)("%s is refused, with a cure", (_title, input, expected) => {
  const decision = decide(input);
  if (decision.ok) throw new Error("it would have started");
  expect(decision.refusal).toMatchObject({ id: expected.id, exitCode: expected.exitCode });
  expect(decision.refusal.message).toMatch(expected.message);
  expect(decision.refusal.hints.join(" ")).not.toBe("");
});

test("an invalid config names each problem and the nearest key", () => {
  const decision = planStart({
    flags: { token: "t" },
    env: {},
    paths: { configPath: "/c" },
    loaded: {
      ok: false,
      path: "/c",
      issues: [
        {
          kind: "unknown-key",
          path: "gateway.prot",
          message: "unknown key; did you mean gateway.port?",
          nearest: "gateway.port",
        },
      ],
      includes: [],
      legacy: [],
    },
    command: "openclaw gateway run",
    tailnet: {},
  });
  expect(decision).toMatchObject({
    ok: false,
    refusal: {
      exitCode: 78,
      hints: [
        "- gateway.prot: unknown key; did you mean gateway.port?",
        "Mend what can be mended: openclaw doctor --fix",
      ],
    },
  });
});

test("flags alone configure a Gateway in an empty home", () => {
  const starts: GatewayRunFlags[] = [
    { token: "t" },
    { password: "p" },
    { auth: "none" },
    { allowUnconfigured: true },
  ];
  for (const flags of starts) {
    expect(decide({ flags })).toMatchObject({
      ok: true,
      plan: { port: 18_789, hosts: ["127.0.0.1"], optionalHosts: ["::1"], bind: "loopback" },
    });
  }
});

test("R6 on loopback: a run without a secret gets one of its own, and a warning", () => {
  const decision = decide({ config: local() });
  expect(decision).toMatchObject({
    ok: true,
    plan: { isRunOnlySecret: true, auth: { mode: "token" } },
  });
  if (decision.ok) expect(decision.plan.warnings.join(" ")).toMatch(/random/);
});

test("flags win over config, config over environment; port 0 only as a flag", () => {
  const config = local({ port: 4_000, auth: { token: "of-the-config" } });
  const env = { OPENCLAW_GATEWAY_TOKEN: "of-the-environment" };
  expect(decide({ config, env })).toMatchObject({
    plan: { port: 4_000, auth: { mode: "token", token: "of-the-config" } },
  });
  expect(decide({ config, env, flags: { port: "0", token: "of-the-flag" } })).toMatchObject({
    plan: { port: 0, auth: { token: "of-the-flag" } },
  });
  expect(decide({ config: local(), env: { ...env, OPENCLAW_GATEWAY_PORT: "5000" } })).toMatchObject(
    {
      plan: { port: 5_000, auth: { token: "of-the-environment" } },
    },
  );
});

test("both generations of the command lists are obeyed, and the ledger's limits are passed on", () => {
  const config = local({
    auth: { token: "t" },
    nodes: { commands: { allow: ["a"], deny: ["b"] }, allowCommands: ["c"], denyCommands: ["d"] },
    ledger: { retentionMs: 1_000 },
  });
  expect(decide({ config })).toMatchObject({
    plan: { commands: { allow: ["a", "c"], deny: ["b", "d"] }, ledger: { retentionMs: 1_000 } },
  });
});

test("custom listens on that address and on loopback", () => {
  const config = local({ bind: "custom", customBindHost: "10.0.0.5", auth: { token: "t" } });
  expect(decide({ config })).toMatchObject({ plan: { hosts: ["10.0.0.5", "127.0.0.1"] } });
});

test("R13: tailnet without an address listens on loopback only, says so, and waits for one", () => {
  const decision = decide({ flags: { token: "t", bind: "tailnet" } });
  expect(decision).toMatchObject({ plan: { hosts: ["127.0.0.1"], awaitsTailnet: true } });
  if (decision.ok) expect(decision.plan.warnings.join(" ")).toMatch(/no tailnet address/);
});

test("tailnet listens on the tailnet's addresses and on loopback", () => {
  const tailnet = { ipv4: "100.101.102.103", ipv6: "fd7a:115c:a1e0::1" };
  expect(decide({ flags: { token: "t", bind: "tailnet" }, tailnet })).toMatchObject({
    plan: { hosts: ["100.101.102.103", "127.0.0.1"], optionalHosts: ["fd7a:115c:a1e0::1"] },
  });
});

test.each([
  ["token, by default", { auth: { token: "t" } }, true],
  ["password, by default", { auth: { password: "p" } }, false],
  ["token, turned off", { auth: { token: "t", allowTailscale: false } }, false],
  ["password, turned on", { auth: { password: "p", allowTailscale: true } }, true],
  ["no secret at all", {}, true],
])("serve and identity: with %s", (_title, keys, allowIdentity) => {
  const config = local({ tailscale: { mode: "serve", resetOnExit: true }, ...keys });
  expect(decide({ config })).toMatchObject({
    ok: true,
    plan: { tailscale: { mode: "serve", resetOnExit: true, allowIdentity } },
  });
});

test("funnel never lets anybody in by identity", () => {
  const config = local({
    tailscale: { mode: "funnel" },
    auth: { password: "p", allowTailscale: true },
  });
  expect(decide({ config })).toMatchObject({ plan: { tailscale: { allowIdentity: false } } });
});

test("TLS makes its own certificate unless told not to", () => {
  const auth = { token: "t" };
  const made = decide({ config: local({ tls: { enabled: true }, auth }) });
  expect(made).toMatchObject({ plan: { tls: { autoGenerate: true } } });
  const plain = decide({ config: local({ tls: { enabled: false }, auth }) });
  expect(plain).not.toHaveProperty("plan.tls");
});
