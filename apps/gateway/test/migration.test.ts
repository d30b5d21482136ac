import { lstat, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { prepareEnvironment } from "@openclaw/app-kit";
import { createMemoryIo } from "@openclaw/app-kit/testing";
import { resolvePaths } from "@openclaw/config";
import { temporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { migrateAtStart } from "../src/migrate-at-start.ts";
import { refusedGateway, runningGateway } from "./running-gateway.ts";

const TOKEN = "a-token-of-the-test-suite";

test("the tutorial's ~/.clawdbot/clawdbot.json is moved when a Gateway starts, shown line by line, and still reached by its old name", async () => {
  await using home = await temporaryDirectory("openclaw-migration-");
  const old = home.file(".clawdbot");
  await mkdir(old);
  const text = `{\n  // mine\n  gateway: { mode: "local", auth: { token: "${TOKEN}" } },\n}\n`;
  await writeFile(`${old}/clawdbot.json`, text);
  const gateway = await runningGateway({ home });
  const state = home.file(".openclaw");
  expect(gateway.out.stderr).toContain(`Migration: moves ${old} to ${state}\n`);
  expect(gateway.out.stderr).toContain("Undo: openclaw doctor --undo-migration");
  expect(gateway.out.stderr).not.toContain(TOKEN);
  expect(await readlink(old)).toBe(state);
  expect(await readFile(`${old}/clawdbot.json`, "utf8")).toBe(text);
  expect(await readFile(`${state}/openclaw.json`, "utf8")).toBe(text);
  expect(await readFile(`${state}/clawdbot.json.bak`, "utf8")).toBe(text);
  // What runs now writes to the place of now.
  expect((await lstat(`${state}/gateway/instance.json`)).isFile()).toBe(true);
  gateway.signal();
  expect(await gateway.exitCode).toBe(0);

  const again = await runningGateway({ home });
  expect(again.out.stderr).not.toContain("Migration:");
  again.signal();
  await again.exitCode;
});

test("keys of an earlier release are rewritten when a Gateway starts, comments kept, and the former text beside them", async () => {
  await using home = await temporaryDirectory("openclaw-migration-");
  await mkdir(home.file(".openclaw"));
  const path = home.file(".openclaw", "openclaw.json");
  const text = `{\n  // mine\n  gateway: { mode: "local", token: "${TOKEN}" },\n}\n`;
  await writeFile(path, text);
  const gateway = await runningGateway({ home });
  expect(gateway.out.stderr).toContain("Migration: moves gateway.token to gateway.auth.token");
  expect(gateway.out.stderr).toContain(`Undo: cp ${path}.bak ${path}`);
  expect(gateway.out.stderr).not.toContain(TOKEN);
  const written = await readFile(path, "utf8");
  expect(written).toContain("// mine");
  expect(written).toMatch(/auth: \{[^}]*token/u);
  expect(await readFile(`${path}.bak`, "utf8")).toBe(text);
  gateway.signal();
  expect(await gateway.exitCode).toBe(0);
});

test("a config with another mistake is refused and left as it is", async () => {
  await using home = await temporaryDirectory("openclaw-migration-");
  await mkdir(home.file(".openclaw"));
  const path = home.file(".openclaw", "openclaw.json");
  const text = `{gateway:{mode:"local",token:"${TOKEN}",prot:1}}`;
  await writeFile(path, text);
  const { code, stderr } = await refusedGateway({ home });
  expect(code).toBe(78);
  expect(stderr).toContain("gateway.prot");
  expect(stderr).not.toContain(TOKEN);
  expect(await readFile(path, "utf8")).toBe(text);
});

test("state that is in both places stays in both, and the start says so", async () => {
  await using home = await temporaryDirectory("openclaw-migration-");
  await mkdir(home.file(".openclaw"));
  await mkdir(home.file(".moltbot"));
  const config = { gateway: { mode: "local", auth: { token: TOKEN } } };
  const gateway = await runningGateway({ home, config });
  expect(gateway.out.stderr).toContain(`${home.file(".moltbot")} is still there beside`);
  expect((await lstat(home.file(".moltbot"))).isDirectory()).toBe(true);
  gateway.signal();
  await gateway.exitCode;
});

test("where everything is declared elsewhere nothing is moved", async () => {
  await using home = await temporaryDirectory("openclaw-migration-");
  await mkdir(home.file(".clawdbot"));
  await writeFile(
    home.file(".clawdbot", "clawdbot.json"),
    `{gateway:{mode:"local",auth:{token:"${TOKEN}"}}}`,
  );
  const gateway = await runningGateway({ home, env: { OPENCLAW_NIX_MODE: "1" } });
  expect(gateway.out.stderr).not.toContain("Migration:");
  expect((await lstat(home.file(".clawdbot"))).isDirectory()).toBe(true);
  gateway.signal();
  await gateway.exitCode;
});

test("a fresh install that is started under the tutorial's name has the tutorial's paths", async () => {
  await using home = await temporaryDirectory("openclaw-migration-");
  const { io, out } = createMemoryIo({ home: home.path });
  const paths = resolvePaths({ env: io.env, homedir: home.path });
  const now = await migrateAtStart({ io, env: io.env, paths, programName: "clawdbot" });
  expect(now).toEqual(paths);
  expect(await readlink(home.file(".clawdbot"))).toBe(home.file(".openclaw"));
  expect(out.stderr).toContain("Undo: clawdbot doctor --undo-migration\n");
  // What is written under the old name is read under the new one.
  await writeFile(home.file(".clawdbot", "clawdbot.json"), "{}");
  expect(await readFile(paths.configPath, "utf8")).toBe("{}");
});

test("a profile has the way back in its own name, and only its own folder is looked at", async () => {
  await using home = await temporaryDirectory("openclaw-migration-");
  const { io, out } = createMemoryIo({ home: home.path });
  await mkdir(home.file(".clawdbot"));
  await mkdir(home.file(".openclaw-work", "sessions"), { recursive: true });
  const input = await prepareEnvironment(io, "work");
  await migrateAtStart({ io, ...input });
  expect(out.stderr).toContain("Undo: openclaw --profile work doctor --undo-migration");
  expect(await readdir(home.file(".openclaw-work", "agents", "main"))).toEqual(["sessions"]);
  expect((await lstat(home.file(".clawdbot"))).isDirectory()).toBe(true);
});
