import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../src/load-config.ts";
import { importShellEnv, SHELL_VARIABLES, type RunShell } from "../src/shell-env.ts";
import { createFolder } from "./support/config-folder.ts";

function recordingShell(output: string) {
  const calls: Parameters<RunShell>[] = [];
  const runShell: RunShell = (...call) => {
    calls.push(call);
    return Promise.resolve(output);
  };
  return { calls, runShell };
}

test("the login shell is asked once, by fixed words, for what is missing and known", async () => {
  const { calls, runShell } = recordingShell(
    "OPENAI_API_KEY=k1\0ZAI_API_KEY=a=b\nc\0GEMINI_API_KEY=shell\0OTHER=x\0SLACK_BOT_TOKEN= \0",
  );
  const env = { SHELL: "/bin/zsh; rm -rf /", HOME: "/home/me", GEMINI_API_KEY: "mine" };
  const config = { env: { shellEnv: { timeoutMs: 5 } } };
  expect(await importShellEnv({ config, env, runShell })).toEqual({
    ...env,
    OPENAI_API_KEY: "k1",
    ZAI_API_KEY: "a=b\nc",
  });
  expect(calls).toEqual([["/bin/zsh; rm -rf /", ["-l", "-c", "env -0"], { env, timeoutMs: 5 }]]);
});

test("the shell is not asked when nothing is missing", async () => {
  const { calls, runShell } = recordingShell("");
  const env = Object.fromEntries(SHELL_VARIABLES.map((name) => [name, "x"]));
  expect(await importShellEnv({ config: {}, env, runShell })).toBe(env);
  expect(calls).toEqual([]);
});

test("a shell without a folder is not looked up", async () => {
  const { calls, runShell } = recordingShell("");
  await importShellEnv({ config: {}, env: { SHELL: "zsh" }, runShell });
  expect(calls[0]?.[0]).toBe("/bin/sh");
});

test.each([
  [{}, 15_000],
  [{ OPENCLAW_SHELL_ENV_TIMEOUT_MS: "20" }, 20],
  [{ CLAWDBOT_SHELL_ENV_TIMEOUT_MS: "30" }, 30],
  [{ OPENCLAW_SHELL_ENV_TIMEOUT_MS: "soon" }, 15_000],
])("with %j the shell has %i ms", async (env, timeoutMs) => {
  const { calls, runShell } = recordingShell("");
  await importShellEnv({ config: {}, env, runShell });
  expect(calls[0]?.[2].timeoutMs).toBe(timeoutMs);
});

test.each<[string, Readonly<Record<string, string>>, boolean]>([
  ["{}", {}, false],
  ["{env: {shellEnv: {enabled: false}}}", {}, false],
  ["{env: {shellEnv: {enabled: true}}}", {}, true],
  ["{}", { OPENCLAW_LOAD_SHELL_ENV: "1" }, true],
  ["{env: {shellEnv: {enabled: true}}}", { OPENCLAW_DEFER_SHELL_ENV_FALLBACK: "1" }, false],
])("%s with %j asks the shell: %s", async (text, env, isAsked) => {
  const folder = await createFolder({ "openclaw.json": text });
  const { calls, runShell } = recordingShell("TELEGRAM_BOT_TOKEN=t\0");
  const loaded = await loadConfig({ path: join(folder, "openclaw.json"), env, runShell });
  expect(loaded).toMatchObject({ ok: true });
  expect(calls).toHaveLength(isAsked ? 1 : 0);
  expect(loaded.ok && loaded.env["TELEGRAM_BOT_TOKEN"]).toBe(isAsked ? "t" : undefined);
});

test("a real shell, one that fails, and one that hangs", async () => {
  const folder = await createFolder({
    good: '#!/bin/sh\nOPENAI_API_KEY=from-profile; export OPENAI_API_KEY\nexec /bin/sh "$@"\n',
    failing: "#!/bin/sh\nexit 3\n",
    hanging: "#!/bin/sh\nexec sleep 600\n",
  });
  const ask = async (name: string, timeoutMs: number) => {
    await chmod(join(folder, name), 0o755);
    const env = { SHELL: join(folder, name), PATH: process.env["PATH"], HOME: folder };
    const config = { env: { shellEnv: { timeoutMs } } };
    return (await importShellEnv({ config, env }))["OPENAI_API_KEY"];
  };
  expect(await ask("good", 20_000)).toBe("from-profile");
  expect(await ask("failing", 20_000)).toBeUndefined();
  expect(await ask("hanging", 200)).toBeUndefined();
});
