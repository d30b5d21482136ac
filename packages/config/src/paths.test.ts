import { isAbsolute, sep } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Env } from "./env.ts";
import { expandHome, resolvePaths } from "./paths.ts";

function resolveIn(files: readonly string[], env: Env = {}, profile?: string) {
  const exists = (path: string) =>
    files.some((file) => file === path || file.startsWith(path + sep));
  return resolvePaths({ env, homedir: "/home/u", profile, cwd: "/srv", exists });
}

test("nothing exists: the first write goes to ~/.openclaw", () => {
  const paths = resolveIn([]);
  expect(paths).toMatchObject({
    home: "/home/u",
    stateDir: "/home/u/.openclaw",
    configPath: "/home/u/.openclaw/openclaw.json",
  });
  expect(paths.configCandidates).toHaveLength(16);
});

test.each([
  [{}, "/home/u"],
  [{ USERPROFILE: "/profile" }, "/profile"],
  [{ HOME: "/h", USERPROFILE: "/profile" }, "/h"],
  [{ HOME: "/h", OPENCLAW_HOME: "/o" }, "/o"],
  [{ HOME: "/h", OPENCLAW_HOME: "~/o" }, "/h/o"],
  [{ HOME: "", OPENCLAW_HOME: " " }, "/home/u"],
])("with %j home is %s", (env, home) => {
  expect(resolveIn([], env).home).toBe(home);
});

test("a config of an earlier release is read as long as ~/.openclaw holds none", () => {
  const old = "/home/u/.clawdbot/clawdbot.json";
  expect(resolveIn([old])).toMatchObject({ stateDir: "/home/u/.clawdbot", configPath: old });
  expect(resolveIn([old, "/home/u/.openclaw/x"])).toMatchObject({
    stateDir: "/home/u/.openclaw",
    configPath: old,
  });
  const current = "/home/u/.openclaw/openclaw.json";
  expect(resolveIn([old, current]).configPath).toBe(current);
});

test("a state directory from the environment is the only place for the config", () => {
  const env = { OPENCLAW_STATE_DIR: "~/s" };
  const elsewhere = "/home/u/.openclaw/openclaw.json";
  expect(resolveIn([elsewhere], env).configPath).toBe("/home/u/s/openclaw.json");
  expect(resolveIn(["/home/u/s/moltbot.json"], env).configPath).toBe("/home/u/s/moltbot.json");
});

test("a config path from the environment is taken as it is, missing or not", () => {
  const env = { CLAWDBOT_CONFIG_PATH: "conf.json5" };
  const paths = resolveIn(["/home/u/.openclaw/openclaw.json"], env);
  expect(paths.configPath).toBe("/srv/conf.json5");
  expect(paths.configCandidates).toEqual(["/srv/conf.json5"]);
});

test.each([
  ["rescue", "/home/u/.openclaw-rescue"],
  ["default", "/home/u/.openclaw"],
])("profile %s lives in %s", (profile, stateDir) => {
  const expected = { profile, stateDir, configPath: `${stateDir}/openclaw.json` };
  expect(resolveIn(["/home/u/.clawdbot/clawdbot.json"], {}, profile)).toMatchObject(expected);
  expect(resolveIn([], { OPENCLAW_PROFILE: profile })).toMatchObject(expected);
});

test("only a leading ~ of our own is expanded", () => {
  expect(expandHome("~", "/h")).toBe("/h");
  expect(expandHome("~/a", "/h")).toBe("/h/a");
  expect(expandHome("~other/a", "/h")).toBe("~other/a");
  expect(expandHome("/a/~/b", "/h")).toBe("/a/~/b");
});

test("whatever is set and whatever exists, the answer is absolute and one of the candidates", () => {
  const dirs = [".openclaw", ".clawdbot", ".moltbot", ".moldbot"];
  const names = ["openclaw.json", "clawdbot.json", "moltbot.json", "moldbot.json"];
  const files = dirs.flatMap((dir) => names.map((name) => `/home/u/${dir}/${name}`));
  const text = fc.oneof(fc.constantFrom("", "~", "~/x", "rel", "../up", "/abs"), fc.string());
  const env = fc.record(
    {
      OPENCLAW_HOME: text,
      OPENCLAW_STATE_DIR: text,
      CLAWDBOT_STATE_DIR: text,
      OPENCLAW_CONFIG_PATH: text,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(env, fc.subarray(files), (variables, existing) => {
      const { stateDir, configPath, configCandidates } = resolveIn(existing, variables);
      expect(isAbsolute(stateDir)).toBe(true);
      expect(configCandidates).toContain(configPath);
      const found = configCandidates.find((path) => existing.includes(path));
      if (found !== undefined) expect(configPath).toBe(found);
    }),
  );
});
