import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../src/load-config.ts";
import { resolvePaths } from "../src/paths.ts";
import { resolveServerAuth } from "../src/server-auth.ts";
import { createFolder } from "./support/config-folder.ts";

interface Case {
  text: string;
  env?: Readonly<Record<string, string>>;
  /** What is decided on it: the mode of authentication, or the refusal. */
  outcome: string;
}

const ENV_PASSWORD = { CLAWDBOT_GATEWAY_PASSWORD: "correct horse" };

// The worked configurations of the documentation, by their names. What is bound, and what goes on with
// Tailscale, is decided by whoever starts a Gateway; here is what the config itself decides.
test.each<[string, Case]>([
  ["default loopback", { text: "{mode: 'local', auth: {token: 't'}}", outcome: "token" }],
  [
    "tutorial A",
    {
      text: "{mode: 'local', bind: 'loopback', tailscale: {mode: 'serve', resetOnExit: true}, auth: {mode: 'password'}}",
      env: ENV_PASSWORD,
      outcome: "password",
    },
  ],
  [
    "tutorial A without the password",
    {
      text: "{mode: 'local', bind: 'loopback', tailscale: {mode: 'serve', resetOnExit: true}, auth: {mode: 'password'}}",
      outcome: "R7",
    },
  ],
  [
    "tutorial C",
    {
      text: "{mode: 'local', tailscale: {mode: 'funnel', resetOnExit: true}, auth: {mode: 'password', password: '${CLAWDBOT_GATEWAY_PASSWORD}'}}",
      env: ENV_PASSWORD,
      outcome: "password",
    },
  ],
  [
    "tutorial C without the variable",
    {
      text: "{mode: 'local', tailscale: {mode: 'funnel', resetOnExit: true}, auth: {mode: 'password', password: '${CLAWDBOT_GATEWAY_PASSWORD}'}}",
      outcome: "R7",
    },
  ],
  ["pitfall 1", { text: "{mode: 'local', bind: 'lan'}", outcome: "R8" }],
  [
    "tailnet direct",
    { text: "{mode: 'local', bind: 'tailnet', auth: {token: 't'}}", outcome: "token" },
  ],
  [
    "strict Serve",
    {
      text: "{mode: 'local', tailscale: {mode: 'serve'}, auth: {token: 't', allowTailscale: false}}",
      outcome: "token",
    },
  ],
  [
    "client by tunnel",
    {
      text: "{mode: 'remote', remote: {url: 'ws://127.0.0.1:18789', token: 't'}}",
      outcome: "token",
    },
  ],
  [
    "client direct TLS",
    {
      text: `{mode: 'remote', remote: {transport: 'direct', url: 'wss://gateway.example.ts.net', tlsFingerprint: '${"ab".repeat(32)}'}}`,
      outcome: "token",
    },
  ],
])("%s", async (_, { text, env = {}, outcome }) => {
  const folder = await createFolder({ "openclaw.json": `{gateway: ${text}}` });
  const loaded = await loadConfig({ path: join(folder, "openclaw.json"), env });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
  const decision = resolveServerAuth({
    env: loaded.env,
    config: loaded.config,
    unresolved: loaded.unresolved,
  });
  expect(decision.ok ? decision.auth.mode : decision.refusal.id).toBe(outcome);
});

test.each([
  ["pitfall 2", "{auth: {mode: 'token', token: 't'}, tailscale: {mode: 'funnel'}}"],
  ["serve + tailnet bind", "{bind: 'tailnet', tailscale: {mode: 'serve'}}"],
  ["tokenless Serve", "{tailscale: {mode: 'serve'}}"],
])("%s is a valid file; the Gateway judges it when it starts", async (_, text) => {
  const folder = await createFolder({ "openclaw.json": `{gateway: ${text}}` });
  const loaded = await loadConfig({ path: join(folder, "openclaw.json"), env: {} });
  expect(loaded).toMatchObject({ ok: true });
});

test("second profile: its own state and config", async () => {
  const home = await createFolder({
    ".openclaw/openclaw.json": "{}",
    ".openclaw-rescue/openclaw.json": "{gateway: {port: 19789}}",
  });
  const paths = resolvePaths({ env: {}, homedir: home, profile: "rescue" });
  expect(paths).toMatchObject({
    stateDir: join(home, ".openclaw-rescue"),
    configPath: join(home, ".openclaw-rescue", "openclaw.json"),
  });
  expect(await loadConfig({ path: paths.configPath, env: {} })).toMatchObject({
    ok: true,
    config: { gateway: { port: 19_789 } },
  });
});
