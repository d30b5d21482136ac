import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { loadConfig, resolvePaths } from "@openclaw/config";
import { temporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { prepareDev } from "../src/dev-config.ts";
import { refusedGateway, runningGateway } from "./running-gateway.ts";

async function createPlace(profile?: string) {
  const home = await temporaryDirectory();
  const paths = resolvePaths({ env: {}, homedir: home.path, profile });
  return {
    home,
    paths,
    prepare: (reset = false) => prepareDev({ reset, paths, env: {} }),
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

test("--dev makes a config that starts, private, once", async () => {
  await using place = await createPlace();
  const { configPath } = place.paths;
  const first = await place.prepare();
  expect(first).toEqual({ notes: [expect.stringContaining(configPath)] });
  const loaded = await loadConfig({ path: configPath, env: {} });
  const workspace = place.home.file(".openclaw", "workspace-dev");
  expect(loaded).toMatchObject({
    ok: true,
    config: {
      gateway: { mode: "local", bind: "loopback" },
      agents: {
        defaults: { workspace, skipBootstrap: true },
        list: [{ id: "dev", default: true, workspace }],
      },
    },
  });
  expect((await stat(configPath)).mode & 0o777).toBe(0o600);
  const text = await readFile(configPath, "utf8");
  expect(await place.prepare()).toEqual({ notes: [] });
  expect(await readFile(configPath, "utf8")).toBe(text);

  const gateway = await runningGateway({ home: place.home, flags: { dev: true } });
  gateway.signal();
  expect(await gateway.exitCode).toBe(0);
});

test("--dev --reset puts config, credentials, sessions and workspace aside, and nothing else", async () => {
  await using place = await createPlace();
  await place.prepare();
  const { stateDir, configPath } = place.paths;
  for (const folder of [
    "agents/dev/sessions",
    "credentials",
    "identity",
    "workspace-dev",
    "logs",
  ]) {
    await mkdir(`${stateDir}/${folder}`, { recursive: true });
    await writeFile(`${stateDir}/${folder}/file`, folder);
  }
  await writeFile(configPath, `// mine\n${await readFile(configPath, "utf8")}`);
  const done = await place.prepare(true);
  expect(done).toEqual({
    notes: [expect.stringContaining("Put aside"), expect.stringContaining("Made a config")],
  });
  const [backup] = await readdir(`${stateDir}/reset-backups`);
  const folder = `${stateDir}/reset-backups/${backup}`;
  expect((await readdir(folder)).toSorted()).toEqual([
    "agents",
    "credentials",
    "openclaw.json",
    "workspace-dev",
  ]);
  expect(await readFile(`${folder}/openclaw.json`, "utf8")).toContain("// mine");
  expect(await readFile(`${folder}/agents/dev/sessions/file`, "utf8")).toBe("agents/dev/sessions");
  expect(existsSync(`${stateDir}/identity/file`)).toBe(true);
  expect(await readFile(configPath, "utf8")).not.toContain("// mine");
});

test("--reset leaves a config alone that --dev has not made, whatever is in it", async () => {
  await using place = await createPlace();
  const { configPath, stateDir } = place.paths;
  await mkdir(stateDir);
  for (const text of ['{ "gateway": { "mode": "local" } }', "not a config"]) {
    await writeFile(configPath, text);
    expect(await place.prepare(true)).toMatchObject({
      refusal: { exitCode: 1, hints: [expect.stringContaining("--dev gateway run --dev --reset")] },
    });
    expect(await readFile(configPath, "utf8")).toBe(text);
  }
});

test("the profile dev may be reset whatever its config is", async () => {
  await using place = await createPlace("dev");
  await mkdir(place.paths.stateDir);
  await writeFile(place.paths.configPath, "not a config");
  expect(await place.prepare(true)).toHaveProperty("notes");
  expect(await loadConfig({ path: place.paths.configPath, env: {} })).toMatchObject({ ok: true });
});

test("--reset does not take the state from a Gateway that runs", async () => {
  await using place = await createPlace();
  const gateway = await runningGateway({ home: place.home, flags: { dev: true } });
  const refused = await refusedGateway({ home: place.home, flags: { dev: true, reset: true } });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`pid ${process.pid}`);
  gateway.signal();
  await gateway.exitCode;
});
