import { chmod, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { type CliFixture, createCli, startGateway, TOKEN } from "./cli-fixture.ts";

/** The ids of what an audit found. */
async function ids(cli: CliFixture, ...args: string[]): Promise<string[]> {
  const { code, json } = await cli.run(["security", "audit", "--json", ...args]);
  expect(code).toBe(0);
  const { findings } = json() as { findings: { checkId: string }[] };
  return findings.map(({ checkId }) => checkId);
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

async function writeState(cli: CliFixture, config: string): Promise<void> {
  const state = cli.home.file(".openclaw");
  await mkdir(`${state}/credentials`, { recursive: true, mode: 0o755 });
  await mkdir(`${state}/agents/main/agent`, { recursive: true });
  await mkdir(`${state}/agents/main/sessions`, { recursive: true });
  await mkdir(`${state}/extensions/voice`, { recursive: true });
  await writeFile(`${state}/openclaw.json`, config, { mode: 0o644 });
  await writeFile(`${state}/agents/main/agent/auth-profiles.json`, "{}", { mode: 0o644 });
  await writeFile(`${state}/agents/main/sessions/sessions.json`, "{}", { mode: 0o644 });
  await writeFile(
    `${state}/credentials/whatsapp-allowFrom.json`,
    '{"version":1,"allowFrom":["+491701234567"]}',
  );
  await chmod(state, 0o755);
}

const OPEN = `{
  // ours
  gateway: { mode: "local", auth: { password: "\${HOUSE_PASSWORD}" }, controlUi: { enabled: false } },
  logging: { redactSensitive: "off" },
  channels: { whatsapp: { groupPolicy: "open", accounts: { work: { groupPolicy: "open" } } } },
}
`;

test("an audit tells modes, logs and groups, names its cures, and exits 0", async () => {
  await using cli = await createCli();
  await writeState(cli, OPEN);
  const found = await ids(cli);
  expect(found).toEqual(
    expect.arrayContaining([
      "fs.state_dir.perms_readable",
      "fs.config.perms_world_readable",
      "fs.credentials_dir.perms_readable",
      "fs.auth_profiles.perms_readable",
      "fs.sessions_store.perms_readable",
      "logging.redact_off",
      "plugins.extensions_no_allowlist",
    ]),
  );
  // The password comes from a variable.
  expect(found).not.toContain("config.secrets.gateway_password_in_config");

  const { code, stdout } = await cli.run(["security", "audit"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/Security audit\n\d+ critical, \d+ warnings?,/u);
  expect(stdout).toMatch(/Critical\n[\s\S]*fs\.config\.perms_world_readable[\s\S]*Fix: chmod 600/u);
  expect(stdout).toContain("openclaw security audit --fix");
});

test("--fix mends modes, logs and groups, keeps comments and the former text, and touches no way in", async () => {
  await using cli = await createCli();
  await writeState(cli, OPEN);
  const state = cli.home.file(".openclaw");
  const { code, json } = await cli.run(["security", "audit", "--fix", "--json"]);
  expect(code).toBe(0);
  const { fix, report } = json() as { fix: Record<string, unknown>; report: object };
  expect(fix).toMatchObject({ ok: true, configWritten: true, errors: [] });
  expect(report).toHaveProperty("summary");

  const text = await readFile(`${state}/openclaw.json`, "utf8");
  expect(text).toContain("// ours");
  expect(text).toContain("${HOUSE_PASSWORD}");
  expect(text).toContain('redactSensitive: "tools"');
  expect(text).not.toContain('"open"');
  expect(text).toContain("+491701234567");
  expect(await readFile(String(fix["backupPath"]), "utf8")).toBe(OPEN);
  expect(await modeOf(state)).toBe("700");
  expect(await modeOf(`${state}/credentials`)).toBe("700");
  expect(await modeOf(`${state}/openclaw.json`)).toBe("600");
  expect(await modeOf(`${state}/agents/main/agent/auth-profiles.json`)).toBe("600");
  expect(await ids(cli)).toEqual(
    expect.not.arrayContaining(["fs.config.perms_world_readable", "logging.redact_off"]),
  );

  const again = await cli.run(["security", "audit", "--fix"]);
  expect(again.stdout).toContain("nothing to mend");
});

test("a config that is a link keeps its target's mode, and the link is told", async () => {
  await using cli = await createCli();
  await mkdir(cli.home.file(".openclaw"), { mode: 0o700 });
  const target = cli.home.file("shared.json");
  await writeFile(target, '{gateway:{mode:"local"}}', { mode: 0o644 });
  await symlink(target, cli.home.file(".openclaw", "openclaw.json"));
  expect(await ids(cli)).toContain("fs.config.symlink");
  const { json } = await cli.run(["security", "audit", "--fix", "--json"]);
  expect(json()).toMatchObject({ fix: { ok: true, actions: [{ skipped: "a link" }] } });
  expect(await modeOf(target)).toBe("644");
});

test("a broken config is no reason to see nothing", async () => {
  await using cli = await createCli();
  await mkdir(cli.home.file(".openclaw"));
  await writeFile(cli.home.file(".openclaw", "openclaw.json"), "{gateway: ", { mode: 0o644 });
  const found = await ids(cli);
  expect(found).toEqual(
    expect.arrayContaining(["config.unreadable", "fs.config.perms_world_readable"]),
  );
  // Nobody knows what it says about these.
  expect(found.join(" ")).not.toMatch(/gateway\.|summary/u);
});

test("--fix leaves a device alone that the log goes to", async () => {
  await using cli = await createCli();
  await writeState(cli, '{ gateway: { mode: "local" }, logging: { file: "/dev/null" } }');
  const { json } = await cli.run(["security", "audit", "--fix", "--json"]);
  const { fix } = json() as { fix: { actions: { path: string }[] } };
  expect(fix.actions.map(({ path }) => path)).not.toContain("/dev/null");
  expect(await modeOf("/dev/null")).toBe("666");
});

test("--fix puts nobody into a list that is there already", async () => {
  await using cli = await createCli();
  const accounts =
    '{ "my.own": { groupPolicy: "open", groupAllowFrom: ["+1"] }, b: { groupPolicy: "open" } }';
  await writeState(
    cli,
    `{ channels: { whatsapp: { groupAllowFrom: ["+2"], accounts: ${accounts} } } }`,
  );
  await cli.run(["security", "audit", "--fix"]);
  const text = await readFile(cli.home.file(".openclaw", "openclaw.json"), "utf8");
  expect(text).not.toContain('"open"');
  expect(text).toContain('groupAllowFrom: ["+1"]');
  expect(text).not.toContain("+491701234567");
});

test("--deep asks the Gateway, and says so when none answers", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  const env = { OPENCLAW_GATEWAY_PORT: String(gateway.port), OPENCLAW_GATEWAY_TOKEN: TOKEN };
  const up = await cli.run(["security", "audit", "--deep", "--json"], { env });
  expect(up.json()).toMatchObject({ deep: { gateway: { attempted: true, ok: true } } });
  await gateway.gateway.close();
  const down = await cli.run(["security", "audit", "--deep", "--json"], { env });
  expect(down.code).toBe(0);
  expect(down.stdout).toContain("gateway.probe_failed");
  expect(down.stdout).not.toContain(TOKEN);
});
