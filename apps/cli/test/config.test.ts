import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { type CliFixture, createCli } from "./cli-fixture.ts";

const SECRET = "a-secret-that-nobody-may-see";
const TEXT = `{
  // mine
  gateway: { port: 18789, auth: { token: "${SECRET}", password: "\${PASSWORD}" } },
  agents: { list: [{ id: "main" }] },
}
`;

async function createWith(text: string | null = TEXT): Promise<CliFixture & { path: string }> {
  const cli = await createCli();
  await mkdir(cli.home.file(".openclaw"), { recursive: true });
  const path = cli.home.file(".openclaw", "openclaw.json");
  if (text !== null) await writeFile(path, text);
  return Object.assign(cli, { path });
}

describe("config get", () => {
  test.each([
    ["gateway.port", "18789\n"],
    ["agents.list[0].id", "main\n"],
    ["agents.list", '[\n  {\n    "id": "main"\n  }\n]\n'],
    ["gateway.auth.token", "__OPENCLAW_REDACTED__\n"],
    ["gateway.auth.password", "__OPENCLAW_REDACTED__\n"],
  ])("%s", async (path, wanted) => {
    await using cli = await createWith();
    const env = { PASSWORD: "another-secret" };
    expect(await cli.run(["config", "get", path], { env })).toMatchObject({
      code: 0,
      stdout: wanted,
    });
  });

  test("prints a section with its secrets hidden, or shown to who asks for it", async () => {
    await using cli = await createWith();
    const hidden = await cli.run(["config", "get", "gateway", "--json"]);
    expect(hidden.json()).toMatchObject({ auth: { token: "__OPENCLAW_REDACTED__" } });
    const shown = await cli.run(["config", "get", "gateway.auth.token", "--show-secrets"]);
    expect(shown.stdout).toBe(`${SECRET}\n`);
  });

  test("says that there is nothing, or that a variable is not set", async () => {
    await using cli = await createWith();
    const missing = await cli.run(["config", "get", "gateway.prot"]);
    expect(missing).toMatchObject({ code: 1, stdout: "" });
    expect(missing.stderr).toContain("Config path not found: gateway.prot");
    const unset = await cli.run(["config", "get", "gateway.auth.password"]);
    expect(unset.stderr).toContain("${PASSWORD}, which is not set");
    expect((await cli.run(["config", "get", "a..b"])).stderr).toContain("is no path");
  });

  test("works with a file that is wrong, and says so of one that cannot be read", async () => {
    await using wrong = await createWith('{gateway: {prot: 1, port: "x"}}');
    expect((await wrong.run(["config", "get", "gateway.prot"])).stdout).toBe("1\n");
    await using broken = await createWith("{gateway: ");
    const result = await broken.run(["config", "get", "gateway.port", "--json"]);
    expect(result.code).toBe(1);
    expect(result.json()).toMatchObject({ ok: false, error: { kind: "config" } });
  });
});

describe("config set", () => {
  test("changes the one key, says what it means, and how to undo it", async () => {
    await using cli = await createWith();
    const { code, stdout } = await cli.run(["config", "set", "gateway.port", "19000"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Updated gateway.port.");
    expect(stdout).toContain("counts from the next start");
    expect(stdout).toContain("Undo: openclaw config set gateway.port 18789");
    expect(await readFile(cli.path, "utf8")).toBe(TEXT.replace("18789", "19000"));
    expect((await stat(cli.path)).mode & 0o777).toBe(0o600);
  });

  test("keeps references to variables, in what it leaves alone and in what it writes", async () => {
    await using cli = await createWith();
    const env = { PASSWORD: "another-secret", TOKEN: "a-third-one" };
    await cli.run(["config", "set", "gateway.remote.token", "${TOKEN}"], { env });
    const text = await readFile(cli.path, "utf8");
    expect(text).toContain("${PASSWORD}");
    expect(text).toContain("${TOKEN}");
    expect(text).not.toContain("another-secret");
    expect(text).not.toContain("a-third-one");
  });

  test("says when no restart is needed", async () => {
    await using cli = await createWith();
    const result = await cli.run(["config", "set", "gateway.remote.remotePort", "19000"]);
    expect(result.stdout).toContain("No restart is needed.");
    // What is set beside it later does not go with it.
    expect(result.stdout).toContain("Undo: openclaw config unset gateway.remote.remotePort\n");
    const undone = await cli.run(["config", "unset", "gateway.remote.remotePort"]);
    expect(undone.code).toBe(0);
  });

  test("says that a dry run did nothing, and that the same again changes nothing", async () => {
    await using cli = await createWith();
    const set = ["config", "set", "gateway.remote.remotePort", "19000"];
    expect((await cli.run([...set, "--dry-run"])).stdout).toBe(
      "Not done: Updated gateway.remote.remotePort. Nothing was written. The result would be valid.\n",
    );
    await cli.run(set);
    expect((await cli.run(set)).stdout).toBe("Nothing to change: the file says so already.\n");
  });

  test("tells what a running Gateway does with it", async () => {
    await using cli = await createWith();
    await mkdir(cli.home.file(".openclaw", "gateway"));
    await writeFile(
      cli.home.file(".openclaw", "gateway", "instance.json"),
      JSON.stringify({ pid: process.pid, port: 18_789 }),
    );
    const told = async (...args: string[]) => (await cli.run(["config", "set", ...args])).stdout;
    expect(await told("gateway.port", "19000")).toContain("restarts by itself to apply it");
    expect(await told("gateway.auth.mode", "token")).toContain("applies it without a restart");
    await told("gateway.reload.mode", "hot");
    expect(await told("gateway.port", "19001")).toContain(
      "Restart the gateway to apply: openclaw gateway restart",
    );
  });

  test("takes a secret from stdin, and shows it neither then nor in the undo", async () => {
    await using cli = await createWith();
    const args = ["config", "set", "gateway.auth.token", "--value-file", "-"];
    const { code, stdout, stderr } = await cli.run(args, { stdin: "the-new-secret\n" });
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain("the-new-secret");
    expect(stdout + stderr).not.toContain(SECRET);
    expect(stdout).toContain(`Undo: cp ${cli.path}.bak ${cli.path}`);
    const loud = await cli.run(["config", "set", "gateway.auth.token", "x".repeat(24)]);
    expect(loud.stderr).toContain("history of your shell");
  });

  test.each<[string[], unknown]>([
    [["logging.level", "debug"], "debug"],
    [
      ["logging.redactPatterns", "['a', 'b']"],
      ["a", "b"],
    ],
    [["logging.file", "'12'"], "12"],
    [["agents.list[1]", "{id: 'second'}"], { id: "second" }],
  ])("config set %j", async ([path = "", value = ""], wanted) => {
    await using cli = await createWith();
    expect((await cli.run(["config", "set", path, value])).stderr).toBe("");
    const shown = await cli.run(["config", "get", path, "--json"]);
    expect(JSON.parse(shown.stdout)).toEqual(wanted);
  });

  test("--json takes JSON5 alone and prints one document", async () => {
    await using cli = await createWith();
    const refused = await cli.run(["config", "set", "logging.level", "debug", "--json"]);
    expect(refused.code).toBe(1);
    const result = await cli.run(["config", "set", "logging.level", '"debug"', "--json"]);
    expect(result.json()).toMatchObject({
      ok: true,
      changed: true,
      changedPaths: ["logging"],
      backupPath: `${cli.path}.bak`,
      needs: "none",
      gateway: null,
    });
  });

  test("lists what would be wrong, and writes nothing", async () => {
    await using cli = await createWith();
    const { code, stderr } = await cli.run(["config", "set", "gateway.port", "ninety"]);
    expect(code).toBe(1);
    expect(stderr.split('gateway.port: found "ninety"')).toHaveLength(2);
    expect(await readFile(cli.path, "utf8")).toBe(TEXT);
  });

  test("writes nothing with --dry-run, and where nobody may", async () => {
    await using cli = await createWith();
    const dry = await cli.run(["config", "set", "gateway.port", "1", "--dry-run"]);
    expect(dry.stdout).toContain("Nothing was written");
    const env = { OPENCLAW_NIX_MODE: "1" };
    const refused = await cli.run(["config", "set", "gateway.port", "1"], { env });
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain("OPENCLAW_NIX_MODE");
    expect(await readFile(cli.path, "utf8")).toBe(TEXT);
  });

  test("makes the file where there is none", async () => {
    await using cli = await createWith(null);
    await cli.run(["config", "set", "gateway.mode", "local"]);
    expect(JSON.parse(await readFile(cli.path, "utf8"))).toEqual({ gateway: { mode: "local" } });
  });
});

describe("config unset", () => {
  test("removes a key, and can mend a file that is wrong", async () => {
    await using cli = await createWith("{gateway: {prot: 1, port: 2}}");
    const { code, stdout } = await cli.run(["config", "unset", "gateway.prot"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Removed gateway.prot.");
    expect(await readFile(cli.path, "utf8")).toBe("{gateway: {port: 2}}");
  });

  test("fails where there is nothing to remove", async () => {
    await using cli = await createWith();
    const { code, stderr } = await cli.run(["config", "unset", "gateway.nothing"]);
    expect(code).toBe(1);
    expect(stderr).toContain("Config path not found: gateway.nothing");
  });
});

describe("config file, validate and schema", () => {
  test("tell where, whether and what", async () => {
    await using cli = await createWith();
    expect((await cli.run(["config", "file"])).stdout).toBe(`${cli.path}\n`);
    expect((await cli.run(["config", "file", "--json"])).json()).toEqual({
      path: cli.path,
      exists: true,
    });
    expect((await cli.run(["config", "validate", "--json"])).json()).toMatchObject({
      valid: true,
      path: cli.path,
    });
    expect((await cli.run(["config", "schema", "--json"])).json()).toMatchObject({
      type: "object",
    });
  });

  test("validate names every problem and the last good file, exit 1", async () => {
    await using cli = await createWith();
    await cli.run(["config", "set", "gateway.port", "19000"]);
    await writeFile(cli.path, '{gateway: {prot: 1, port: "x"}}');
    const plain = await cli.run(["config", "validate"]);
    expect(plain.code).toBe(1);
    expect(plain.stderr).toContain("- gateway.prot: ");
    expect(plain.stderr).toContain("- gateway.port: ");
    expect(plain.stderr).toContain(`${cli.path}.last-good`);
    expect((await cli.run(["config", "validate", "--json"])).json()).toMatchObject({
      ok: false,
      valid: false,
      path: cli.path,
      error: { type: "cli_error" },
    });
  });
});

describe("config diff", () => {
  test("says that a file is invalid, and that what it includes is not compared", async () => {
    await using cli = await createWith();
    await cli.run(["config", "set", "gateway.port", "19000"]);
    await writeFile(cli.path, "{ gateway: { prot: 1 } }");
    const broken = await cli.run(["config", "diff"]);
    expect(broken.stderr).toContain("is invalid, so no Gateway takes it on");
    await writeFile(`${cli.path}.more`, "{ port: 19001 }");
    await writeFile(cli.path, '{ gateway: { $include: "./openclaw.json.more" } }');
    const including = await cli.run(["config", "diff", "--json"]);
    expect(including.json()).toMatchObject({ valid: true });
    expect((await cli.run(["config", "diff"])).stderr).toContain("includes is not compared");
  });

  test("compares with the file before the last change, and tells no secret", async () => {
    await using cli = await createWith();
    await cli.run(["config", "set", "gateway.port", "19000"]);
    await cli.run(["config", "set", "gateway.auth.token", "--value-file", "-"], {
      stdin: "new-one",
    });
    const shown = await cli.run(["config", "diff"]);
    expect(shown.stdout).toContain("~ gateway.auth.token:");
    expect(shown.stdout).not.toContain("new-one");
    expect(shown.stdout).not.toContain(SECRET);
    expect(shown.stdout).not.toContain("gateway.port");
    const older = await cli.run(["config", "diff", "--against", `${cli.path}.bak.1`, "--json"]);
    expect(older.json()).toMatchObject({
      changes: [
        { path: "gateway.port", before: 18_789, after: 19_000 },
        { path: "gateway.auth.token" },
      ],
    });
    const good = await cli.run(["config", "diff", "--against", "last-good"]);
    expect(good.stdout).toContain("No difference");
  });
});

describe("config patch and apply", () => {
  test("patch merges, null removes", async () => {
    await using cli = await createWith();
    const stdin = '{gateway: {port: null, bind: "lan"}}';
    const { code, stderr } = await cli.run(["config", "patch", "--stdin"], { stdin });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const text = await readFile(cli.path, "utf8");
    expect(text).toContain("// mine");
    expect(text).not.toContain("port");
    expect(text).toContain('bind: "lan"');
  });

  test("apply replaces the file, and keeps the secrets that are hidden in the new one", async () => {
    await using cli = await createWith();
    const stdin = '{gateway: {auth: {token: "__OPENCLAW_REDACTED__"}}} // new';
    const { code } = await cli.run(["config", "apply", "-"], { stdin });
    expect(code).toBe(0);
    expect(await readFile(cli.path, "utf8")).toBe(`{gateway: {auth: {token: "${SECRET}"}}} // new`);
  });

  test.each([
    [["patch", "-"], "[1]", "not an object"],
    [["patch"], "", "needs a file"],
    [["apply", "-"], "{gateway: ", "not valid JSON5"],
    [["apply", "/does/not/exist"], "", "cannot be read"],
  ])("config %j of %j is refused", async (args, stdin, why) => {
    await using cli = await createWith();
    const { code, stderr } = await cli.run(["config", ...args], { stdin });
    expect(code).toBe(1);
    expect(stderr).toContain(why);
    expect(await readFile(cli.path, "utf8")).toBe(TEXT);
  });
});
