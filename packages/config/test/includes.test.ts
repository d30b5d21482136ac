import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MAX_INCLUDE_DEPTH } from "../src/include/expand-includes.ts";
import { MAX_INCLUDE_BYTES } from "../src/include/include-files.ts";
import { loadConfig } from "../src/load-config.ts";
import { createFolder } from "./support/config-folder.ts";

type Files = Readonly<Record<string, string>>;

async function load(files: Files, env: Readonly<Record<string, string>> = {}) {
  const folder = await createFolder(files);
  return { folder, loaded: await loadConfig({ path: join(folder, "openclaw.json"), env }) };
}

async function configOf(files: Files): Promise<unknown> {
  const { loaded } = await load(files);
  return loaded.ok ? loaded.config : loaded.issues;
}

async function issueOf(files: Files) {
  const { loaded } = await load(files);
  if (loaded.ok) throw new Error("the config is right");
  return loaded.issues[0];
}

test.each<[string, Files, object]>([
  [
    "one file in place of a section",
    { "openclaw.json": "{gateway: {$include: './gw.json5'}}", "gw.json5": "{port: 4000, /* */}" },
    { gateway: { port: 4000 } },
  ],
  [
    "the whole config",
    { "openclaw.json": "{$include: 'all.json'}", "all.json": '{"web": {"enabled": false}}' },
    { web: { enabled: false } },
  ],
  [
    "several files, of which the later wins, and lists are joined",
    {
      "openclaw.json": "{gateway: {$include: ['a.json', 'b.json']}}",
      "a.json": "{port: 1, bind: 'lan', trustedProxies: ['10.0.0.1'], tls: {enabled: true}}",
      "b.json": "{port: 2, trustedProxies: ['10.0.0.2'], tls: {caPath: '/x'}}",
    },
    {
      gateway: {
        port: 2,
        bind: "lan",
        trustedProxies: ["10.0.0.1", "10.0.0.2"],
        tls: { enabled: true, caPath: "/x" },
      },
    },
  ],
  [
    "keys beside it, which win",
    {
      "openclaw.json": "{gateway: {port: 3, $include: 'a.json', nodes: {commands: {deny: ['b']}}}}",
      "a.json": "{port: 1, nodes: {commands: {allow: ['a'], deny: ['c']}}}",
    },
    { gateway: { port: 3, nodes: { commands: { allow: ["a"], deny: ["c", "b"] } } } },
  ],
  [
    "a file that includes another, relative to itself",
    {
      "openclaw.json": "{gateway: {$include: 'inc/a.json'}}",
      "inc/a.json": "{tls: {$include: './b.json'}}",
      "inc/b.json": "{enabled: true}",
    },
    { gateway: { tls: { enabled: true } } },
  ],
  [
    "an item of a list",
    {
      "openclaw.json": "{agents: {list: [{id: 'a'}, {$include: 'agent.json'}]}}",
      "agent.json": "{id: 'b'}",
    },
    { agents: { list: [{ id: "a" }, { id: "b" }] } },
  ],
  [
    "the same file twice",
    {
      "openclaw.json":
        "{session: {resetByType: {dm: {$include: 'r.json'}, group: {$include: 'r.json'}}}}",
      "r.json": "{mode: 'idle'}",
    },
    { session: { resetByType: { dm: { mode: "idle" }, group: { mode: "idle" } } } },
  ],
])("$include takes in %s", async (_, files, config) => {
  expect(await configOf(files)).toEqual(config);
});

test("variables are replaced in included files too, and the files are told", async () => {
  const { folder, loaded } = await load(
    {
      "openclaw.json": "{gateway: {auth: {$include: 'auth.json'}}}",
      "auth.json": "{token: '${T}'}",
    },
    { T: "secret" },
  );
  expect(loaded).toMatchObject({
    ok: true,
    config: { gateway: { auth: { token: "secret" } } },
    includes: [join(folder, "auth.json")],
  });
});

test.each<[string, Files, object]>([
  [
    "a file that is missing",
    { "openclaw.json": "{\n  gateway: { $include: 'gone.json' }\n}" },
    {
      path: "gateway.$include",
      line: 2,
      message: expect.stringContaining('"gone.json" does not exist'),
    },
  ],
  [
    "a path that leads out",
    { "openclaw.json": "{$include: '../../etc/passwd'}" },
    { message: expect.stringMatching(/outside of .*OPENCLAW_INCLUDE_ROOTS/u) },
  ],
  [
    "an absolute path elsewhere",
    { "openclaw.json": "{$include: '/etc/passwd'}" },
    { message: expect.stringContaining("outside of") },
  ],
  [
    "the folder itself",
    { "openclaw.json": "{$include: '.'}" },
    { message: expect.stringContaining("outside of") },
  ],
  [
    "a folder in it",
    { "openclaw.json": "{$include: 'sub'}", "sub/x": "" },
    { message: expect.stringContaining("is no file") },
  ],
  [
    "a number",
    { "openclaw.json": "{$include: 7}" },
    { message: expect.stringContaining("allowed: the path of a file, or a list of them") },
  ],
  [
    "an empty list",
    { "openclaw.json": "{$include: []}" },
    { message: expect.stringContaining("empty list") },
  ],
  ["an empty path", { "openclaw.json": "{$include: ['']}" }, { kind: "include" }],
  ["a path with a null byte", { "openclaw.json": "{$include: 'a\\0b'}" }, { kind: "include" }],
  [
    "keys beside a list",
    { "openclaw.json": "{hooks: {enabled: false, $include: 'l.json'}}", "l.json": "[]" },
    { path: "hooks.$include", message: expect.stringContaining("no object") },
  ],
  [
    "a file that includes itself",
    { "openclaw.json": "{$include: 'openclaw.json'}" },
    { message: expect.stringContaining("openclaw.json -> openclaw.json") },
  ],
  [
    "files that include each other",
    {
      "openclaw.json": "{$include: 'a.json'}",
      "a.json": "{web: {$include: 'b.json'}}",
      "b.json": "{$include: 'a.json'}",
    },
    { message: expect.stringContaining("a.json -> b.json -> a.json") },
  ],
])("%s cannot be included", async (_, files, issue) => {
  expect(await issueOf(files)).toMatchObject({
    kind: "include",
    file: expect.stringContaining(".json"),
    ...issue,
  });
});

test("an included file that is no JSON5 is named with its line, and so is the one that includes it", async () => {
  const issue = await issueOf({
    "openclaw.json": "{gateway: {$include: 'bad.json'}}",
    "bad.json": "{\n  port: ,\n}",
  });
  expect(issue).toMatchObject({
    kind: "include",
    path: "gateway.$include",
    line: 2,
    file: expect.stringMatching(/bad\.json$/u),
    message: expect.stringMatching(/not valid JSON5 at line 2.*included by .*openclaw\.json/u),
  });
});

test("a link within the folder may not lead out of it, but into a folder that is listed", async () => {
  const outside = await createFolder({ "gw.json": "{port: 4000}" });
  const folder = await createFolder({ "openclaw.json": "{gateway: {$include: 'link.json'}}" });
  await symlink(join(outside, "gw.json"), join(folder, "link.json"));
  const path = join(folder, "openclaw.json");

  expect(await loadConfig({ path, env: {} })).toMatchObject({
    ok: false,
    issues: [{ kind: "include", message: expect.stringContaining("outside of") }],
  });
  const env = { OPENCLAW_INCLUDE_ROOTS: `relative:${outside}` };
  expect(await loadConfig({ path, env })).toMatchObject({
    ok: true,
    config: { gateway: { port: 4000 } },
  });
});

test("a config behind a link includes what is beside the file itself", async () => {
  const real = await createFolder({
    "oc.json": "{gateway: {$include: './gw.json'}}",
    "gw.json": "{port: 4000}",
  });
  const folder = await createFolder();
  await symlink(join(real, "oc.json"), join(folder, "openclaw.json"));
  expect(await loadConfig({ path: join(folder, "openclaw.json"), env: {} })).toMatchObject({
    ok: true,
    config: { gateway: { port: 4000 } },
  });
});

test("a file of more than two megabytes is not included", async () => {
  const issue = await issueOf({
    "openclaw.json": "{$include: 'big.json'}",
    "big.json": `{} ${" ".repeat(MAX_INCLUDE_BYTES)}`,
  });
  expect(issue).toMatchObject({ kind: "include", message: expect.stringContaining("bytes") });
});

test.each([
  [MAX_INCLUDE_DEPTH, true],
  [MAX_INCLUDE_DEPTH + 1, false],
])("includes nested %i deep: %s", async (depth, isOk) => {
  const files = Object.fromEntries(
    Array.from({ length: depth }, (_, index) => [
      `${index}.json`,
      index + 1 === depth ? "{web: {enabled: true}}" : `{$include: '${index + 1}.json'}`,
    ]),
  );
  const { loaded } = await load({ "openclaw.json": "{$include: '0.json'}", ...files });
  expect(loaded.ok).toBe(isOk);
});

test("a few small files cannot grow without end", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 9 }, (_, index) => [
      `${index}.json`,
      `{$include: [${Array.from({ length: 40 }, () => `'${index + 1}.json'`).join()}]}`,
    ]),
  );
  const { loaded } = await load({
    "openclaw.json": "{$include: '0.json'}",
    ...files,
    "9.json": "{}",
  });
  expect(loaded).toMatchObject({
    ok: false,
    issues: [{ message: expect.stringContaining("more than 200") }],
  });
});

test("what is wrong in an included file is shown there", async () => {
  const { folder, loaded } = await load({
    "openclaw.json": "{\n  gateway: {\n    $include: 'gw.json',\n    prot: 1,\n  },\n}",
    "gw.json": "// a note\n{\n  port: 'x',\n}",
  });
  expect(loaded).toMatchObject({
    ok: false,
    issues: [
      { path: "gateway.port", file: join(folder, "gw.json"), line: 3, column: 3 },
      { path: "gateway.prot", file: join(folder, "openclaw.json"), line: 4, column: 5 },
    ],
  });
});

test("items of joined lists are shown where each is written", async () => {
  const { folder, loaded } = await load({
    "openclaw.json": "{agents: {$include: 'a.json', list: [\n  {id: 'x'},\n  {idd: 'y'},\n]}}",
    "a.json": "{list: [\n  {id: 'a'},\n  {nam: 'b'}\n]}",
  });
  expect(loaded).toMatchObject({
    ok: false,
    issues: [
      { path: "agents.list[1].nam", file: join(folder, "a.json"), line: 3 },
      { path: "agents.list[3].idd", file: join(folder, "openclaw.json"), line: 3 },
    ],
  });
});

test("the key __proto__ of an included file changes nothing but the config", async () => {
  const { loaded } = await load({
    "openclaw.json": "{plugins: {entries: {x: {config: {$include: 'a.json', own: 1}}}}}",
    "a.json": '{"__proto__": {"polluted": true}}',
  });
  expect(loaded.ok).toBe(true);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test("a device is not read", async () => {
  const folder = await createFolder({ "openclaw.json": "{$include: 'sub/x'}" });
  await mkdir(join(folder, "sub"));
  await symlink("/dev/zero", join(folder, "sub/x"));
  const loaded = await loadConfig({
    path: join(folder, "openclaw.json"),
    env: { OPENCLAW_INCLUDE_ROOTS: "/dev" },
  });
  expect(loaded).toMatchObject({
    ok: false,
    issues: [{ message: expect.stringContaining("is no file") }],
  });
});

test("small files that are included over and over are refused before they fill the memory", async () => {
  const list = Array.from({ length: 200_000 }, () => 1).join(",");
  const names = Array.from({ length: 100 }, () => "'./list.json'").join(",");
  const issue = await issueOf({
    "openclaw.json": `{$include: [${names}]}`,
    "list.json": `{"gateway": {"allowedHosts": [${list}]}}`,
  });
  expect(issue).toMatchObject({
    kind: "include",
    message: expect.stringContaining("characters are included"),
  });
});
