import { readdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findRivalConfigs } from "../src/find-rival-configs.ts";
import { migrateState, undoStateMigration } from "../src/migration/migrate.ts";
import { doStep } from "../src/migration/migration-step.ts";
import { planStateMigration } from "../src/migration/plan-state-migration.ts";
import { resolvePaths } from "../src/paths.ts";
import { createFolder } from "./support/config-folder.ts";

/** Every file and link below a folder, with its text or its target. */
async function tree(folder: string, below = ""): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
    const name = join(below, entry.name);
    const path = join(folder, name);
    if (entry.isSymbolicLink()) found[name] = `-> ${(await readlink(path)).replace(folder, "~")}`;
    else if (entry.isDirectory()) Object.assign(found, await tree(folder, name));
    else found[name] = await readFile(path, "utf8");
  }
  return found;
}

const OLD_HOME = {
  ".clawdbot/clawdbot.json": "{gateway: {port: 4000}} // mine",
  ".clawdbot/sessions/a.jsonl": "session",
  ".clawdbot/agent/auth-profiles.json": "{}",
  ".clawdbot/credentials/creds.json": "wa",
  ".clawdbot/credentials/pre-key-1.json": "key",
  ".clawdbot/credentials/oauth.json": "other",
};

test("a state folder of an earlier release is moved, and everything in it is where it belongs", async () => {
  const home = await createFolder(OLD_HOME);
  const report = await migrateState({ env: {}, home });

  expect(report.warnings).toEqual([]);
  expect(report.lines).toHaveLength(9);
  const { ".openclaw/migration.json": record, ...files } = await tree(home);
  expect(JSON.parse(record ?? "")).toMatchObject({ version: 1 });
  expect(files).toEqual({
    ".clawdbot": "-> ~/.openclaw",
    ".openclaw/openclaw.json": OLD_HOME[".clawdbot/clawdbot.json"],
    ".openclaw/clawdbot.json": "-> openclaw.json",
    ".openclaw/clawdbot.json.bak": OLD_HOME[".clawdbot/clawdbot.json"],
    ".openclaw/agents/main/sessions/a.jsonl": "session",
    ".openclaw/agents/main/agent/auth-profiles.json": "{}",
    ".openclaw/credentials/whatsapp/default/creds.json": "wa",
    ".openclaw/credentials/whatsapp/default/pre-key-1.json": "key",
    ".openclaw/credentials/oauth.json": "other",
  });
  expect((await stat(join(home, ".openclaw/openclaw.json"))).mode & 0o777).toBe(0o600);
  expect((await stat(join(home, ".openclaw/migration.json"))).mode & 0o777).toBe(0o600);
});

test("whoever follows old instructions edits the file that counts", async () => {
  const home = await createFolder(OLD_HOME);
  await migrateState({ env: {}, home });
  await writeFile(join(home, ".clawdbot/clawdbot.json"), "{gateway: {port: 5000}}");
  const { configPath } = resolvePaths({ env: {}, homedir: home });
  expect(await readFile(configPath, "utf8")).toBe("{gateway: {port: 5000}}");
});

test("a second time there is nothing to do", async () => {
  const home = await createFolder(OLD_HOME);
  await migrateState({ env: {}, home });
  const before = await tree(home);
  expect(await migrateState({ env: {}, home })).toEqual({ lines: [], warnings: [] });
  expect(await tree(home)).toEqual(before);
});

test("it can be shown without being done, and is shown as it is done", async () => {
  const home = await createFolder(OLD_HOME);
  const before = await tree(home);
  const shown = await migrateState({ env: {}, home, isDryRun: true });
  expect(await tree(home)).toEqual(before);
  expect(shown).not.toHaveProperty("recordPath");
  expect((await migrateState({ env: {}, home })).lines).toEqual(shown.lines);
});

test("it can be taken back", async () => {
  const home = await createFolder(OLD_HOME);
  const before = await tree(home);
  const { recordPath } = await migrateState({ env: {}, home });
  expect(await undoStateMigration(recordPath ?? "")).toHaveLength(9);
  expect(await tree(home)).toEqual(before);
});

test("what was changed since is kept when it is taken back", async () => {
  const home = await createFolder({ ".clawdbot/clawdbot.json": "{}" });
  const { recordPath } = await migrateState({ env: {}, home });
  await writeFile(join(home, ".openclaw/openclaw.json"), "{web: {}}");
  await undoStateMigration(recordPath ?? "");
  expect(await tree(home)).toEqual({
    ".clawdbot/clawdbot.json": "{}",
    ".clawdbot/openclaw.json.migrated": "{web: {}}",
  });
});

test("what could not be taken back whole is taken back when nothing is in the way any more", async () => {
  const home = await createFolder(OLD_HOME);
  const before = await tree(home);
  const { recordPath = "" } = await migrateState({ env: {}, home });
  const obstacle = join(home, ".openclaw/sessions");
  await writeFile(obstacle, "in the way");
  await expect(undoStateMigration(recordPath)).rejects.toMatchObject({
    code: "MIGRATION_NOT_UNDONE",
  });
  await rm(obstacle);
  await undoStateMigration(recordPath);
  expect(await tree(home)).toEqual(before);
});

test("wherever it is cut short, the config is still found", async () => {
  const { steps } = await planStateMigration({ env: {}, home: await createFolder(OLD_HOME) });
  for (const length of steps.keys()) {
    // oxlint-disable-next-line no-await-in-loop
    const home = await createFolder(OLD_HOME);
    // oxlint-disable-next-line no-await-in-loop
    const plan = await planStateMigration({ env: {}, home });
    // oxlint-disable-next-line no-await-in-loop
    for (const step of plan.steps.slice(0, length)) await doStep(step);
    const { configPath } = resolvePaths({ env: {}, homedir: home });
    // oxlint-disable-next-line no-await-in-loop
    expect(await readFile(configPath, "utf8")).toBe(OLD_HOME[".clawdbot/clawdbot.json"]);
  }
});

test("without a record nothing is taken back", async () => {
  const home = await createFolder({ "x.json": '{"steps": [{"kind": "delete"}]}' });
  for (const name of ["gone.json", "x.json"]) {
    await expect(undoStateMigration(join(home, name))).rejects.toMatchObject({
      code: "MIGRATION_NOT_UNDONE",
    });
  }
  expect(await tree(home)).toHaveProperty(["x.json"]);
});

test("two state folders are left alone; the config is still found under its name", async () => {
  const home = await createFolder({
    ".clawdbot/clawdbot.json": "{web: {}}",
    ".openclaw/.env": "A=1",
  });
  const { warnings } = await migrateState({ env: {}, home });
  expect(warnings).toEqual([expect.stringContaining("nothing was moved")]);
  expect(await tree(home)).toMatchObject({
    ".openclaw/openclaw.json": "{web: {}}",
    ".clawdbot/clawdbot.json": "-> ~/.openclaw/openclaw.json",
    ".clawdbot/clawdbot.json.bak": "{web: {}}",
  });
});

test("a config that is there already is never replaced", async () => {
  const files = { ".openclaw/openclaw.json": "{}", ".openclaw/clawdbot.json": "{web: {}}" };
  const home = await createFolder(files);
  expect(await migrateState({ env: {}, home })).toEqual({ lines: [], warnings: [] });
  expect(await tree(home)).toEqual(files);
  const { configPath, configCandidates } = resolvePaths({ env: {}, homedir: home });
  expect(await findRivalConfigs(configPath, configCandidates)).toEqual([
    join(home, ".openclaw/clawdbot.json"),
  ]);
});

test("a link to the config is no rival of it, and neither is a file that says the same", async () => {
  const home = await createFolder({
    ".openclaw/openclaw.json": "{}",
    ".openclaw/moltbot.json": "{}",
  });
  await symlink("openclaw.json", join(home, ".openclaw/clawdbot.json"));
  const { configPath, configCandidates } = resolvePaths({ env: {}, homedir: home });
  expect(await findRivalConfigs(configPath, configCandidates)).toEqual([]);
});

test("an old folder that is a link to another place is left alone", async () => {
  const home = await createFolder({ "elsewhere/clawdbot.json": "{}" });
  await symlink(join(home, "elsewhere"), join(home, ".clawdbot"));
  const { lines, warnings } = await migrateState({ env: {}, home });
  expect(lines).toEqual([]);
  expect(warnings).toEqual([expect.stringContaining("link to another place")]);
});

test("with a state folder from the environment, other folders are left alone", async () => {
  const home = await createFolder({ ...OLD_HOME, "state/sessions/b.jsonl": "b" });
  const env = { CLAWDBOT_STATE_DIR: join(home, "state") };
  await migrateState({ env, home });
  expect(await tree(home)).toMatchObject({
    ...OLD_HOME,
    "state/agents/main/sessions/b.jsonl": "b",
  });
});

test("sessions go to the default agent of the config", async () => {
  const home = await createFolder({
    ".openclaw/openclaw.json": "{agents: {list: [{id: 'a'}, {id: 'b', default: true}]}}",
    ".openclaw/sessions/x": "",
  });
  await migrateState({ env: {}, home });
  expect(await tree(home)).toHaveProperty([".openclaw/agents/b/sessions/x"]);
});

test("a fresh start under the former name makes links for old instructions", async () => {
  const home = await createFolder();
  await migrateState({ env: {}, home, programName: "clawdbot" });
  await writeFile(join(home, ".clawdbot/clawdbot.json"), "{}");
  expect(await tree(home)).toMatchObject({
    ".clawdbot": "-> ~/.openclaw",
    ".openclaw/clawdbot.json": "-> openclaw.json",
    ".openclaw/openclaw.json": "{}",
  });
  expect((await stat(join(home, ".openclaw"))).mode & 0o777).toBe(0o700);
});

test("a fresh start under the present name makes nothing", async () => {
  const home = await createFolder();
  expect(await migrateState({ env: {}, home, programName: "openclaw" })).toEqual({
    lines: [],
    warnings: [],
  });
  expect(await tree(home)).toEqual({});
});

test("what is in the way stops it, and nothing is changed", async () => {
  const home = await createFolder(OLD_HOME);
  // Where a folder is wanted, there is a file.
  await writeFile(join(home, ".clawdbot/agents"), "in the way");
  const before = await tree(home);
  const { lines, warnings } = await migrateState({ env: {}, home });
  expect(lines).toEqual([]);
  expect(warnings).toEqual([expect.stringContaining("Nothing was migrated")]);
  expect(await tree(home)).toEqual(before);
});
