import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseDotEnv } from "../src/dotenv.ts";
import { originOf } from "../src/include/located-value.ts";
import { readConfigSources } from "../src/config-sources.ts";
import { isObject, type JsonObject } from "../src/json.ts";
import { loadConfig } from "../src/load-config.ts";
import { planLegacyKeys } from "../src/migration/legacy-keys.ts";
import { parseConfigText } from "../src/parse-config-text.ts";
import { knownKeys } from "../src/schema/known-keys.ts";
import { configSchema } from "../src/schema/config-schema.ts";
import { applyDefaults, isSecretPath, reloadKind } from "../src/schema/key-facts.ts";
import { validateConfig } from "../src/schema/validate.ts";
import { substituteVariables } from "../src/substitute.ts";
import { createFolder } from "./support/config-folder.ts";

// Ten thousand cases here, in parts by what a case costs; OPENCLAW_FUZZ_RUNS=1000000 is for a night.
const RUNS = Number(process.env["OPENCLAW_FUZZ_RUNS"] ?? 10_000);
const runs = (share: number) => ({ numRuns: Math.ceil(RUNS * share) });
const NIGHT_MS = 12 * 60 * 60 * 1000;
const timeout = RUNS > 10_000 ? NIGHT_MS : 60_000;

const KEYS = knownKeys(configSchema).flatMap((path) => path.split("."));
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...KEYS) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "__proto__",
      "constructor",
      "toString",
      "$include",
      "a.b",
      "",
      "[0]",
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 8 }) },
);
const leaf = fc.oneof(
  fc.constantFrom(
    "loopback",
    "open",
    "*",
    "${A}",
    "$${A}",
    "${B}",
    "ws://127.0.0.1:1",
    "me@box",
    "~/x",
    "",
  ),
  fc.string({ maxLength: 20 }),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
);
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 4 }),
    fc
      .array(fc.tuple(key, tie("value")), { maxLength: 5 })
      .map((entries) => Object.fromEntries(entries)),
  ),
}));
const config = fc
  .array(fc.tuple(key, anyValue), { maxLength: 6 })
  .map((entries): JsonObject => Object.fromEntries(entries));

/** Pieces that JSON5 is made of, in any order. */
const json5ish = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ..."{}[]:,'\"/*\n\\".split(""),
        "//",
        "/*",
        "*/",
        "\uFEFF",
        "0x",
        "Infinity",
        "NaN",
        "+1",
        ".5",
        "null",
        "true",
      ),
      key.map((name) => `${JSON.stringify(name)}:`),
      leaf.map((value) => JSON.stringify(value)),
      fc.string({ unit: "binary", maxLength: 4 }),
    ),
    { maxLength: 40 },
  )
  .map((pieces) => pieces.join(""));

test("any text is a value or one syntax issue with a place in the text", { timeout }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(json5ish, fc.string({ unit: "binary" })), async (text) => {
      const parsed = await parseConfigText(text);
      if (parsed.ok) return;
      expect(parsed.issue.kind).toBe("syntax");
      expect(parsed.issue.line ?? 1).toBeLessThanOrEqual(text.split(/[\n\r\u2028\u2029]/u).length);
    }),
    runs(0.25),
  );
});

test(
  "any config is valid or has issues, each with a path and a message without secrets",
  { timeout },
  () => {
    fc.assert(
      fc.property(config, (value) => {
        const validation = validateConfig(value);
        if (validation.ok) {
          expect(validateConfig(applyDefaults(validation.config)).ok).toBe(true);
          return;
        }
        expect(validation.places).toHaveLength(validation.issues.length);
        for (const { path, message } of validation.issues) {
          expect(path).not.toBe("");
          expect(message).not.toBe("");
        }
      }),
      runs(0.22),
    );
  },
);

test("a secret of the wrong type is never repeated", { timeout }, () => {
  const secrets = [
    ["gateway", "auth", "token"],
    ["hooks", "token"],
    ["talk", "apiKey"],
    ["gateway", "remote", "edgeAuth", "h"],
  ];
  fc.assert(
    fc.property(fc.constantFrom(...secrets), fc.integer({ min: 10_000_000 }), (path, value) => {
      const nested = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
      const validation = validateConfig(nested);
      expect(validation.ok).toBe(false);
      expect(JSON.stringify(validation)).not.toContain(String(value));
    }),
    runs(0.05),
  );
});

test(
  "substitution leaves no reference to a variable that has a value, and reads no result again",
  { timeout },
  () => {
    const piece = fc.constantFrom(
      "${A}",
      "$${A}",
      "${B}",
      "${",
      "}",
      "$",
      "{A}",
      "${a}",
      "${A:-x}",
      "x",
      "$$${A}",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.string(), (pieces, a) => {
        const text = pieces.join("");
        const { value, unresolved } = substituteVariables({ key: text }, { A: a });
        const isMissing = /(?<!\$)\$\{(?:B|A)\}/u.test(text) && unresolved.length > 0;
        if (isMissing) expect(value).toEqual({});
        else expect(value).toHaveProperty("key");
        if (a.trim() !== "" && text === "${A}") expect(value).toEqual({ key: a });
        if (text === "$${A}") expect(value).toEqual({ key: "${A}" });
      }),
      runs(0.2),
    );
  },
);

test("substitution of any config keeps its keys", { timeout }, () => {
  fc.assert(
    fc.property(config, (value) => {
      const { value: result, unresolved } = substituteVariables(value, { A: "${B}", B: "b" });
      expect(unresolved).toEqual([]);
      expect(isObject(result) && Object.keys(result)).toEqual(Object.keys(value));
    }),
    runs(0.05),
  );
});

test(
  "keys of earlier releases are planned for any config, which stays as it is",
  { timeout },
  () => {
    const legacy = fc.constantFrom(
      "routing",
      "agent",
      "identity",
      "telegram",
      "providers",
      "gateway",
      "messages",
      "tools",
      "agents",
      "channels",
    );
    const inner = fc.constantFrom(
      "token",
      "agents",
      "groupChat",
      "requireMention",
      "model",
      "bash",
      "list",
      "bindings",
      "defaultAgentId",
      "bind",
    );
    const old = fc
      .array(fc.tuple(legacy, fc.oneof(anyValue, fc.dictionary(inner, anyValue))), { maxLength: 5 })
      .map((entries): JsonObject => Object.fromEntries(entries));
    fc.assert(
      fc.property(old, (value) => {
        const before = JSON.stringify(value);
        const { keys, edits } = planLegacyKeys(value);
        if (keys.length === 0) expect(edits).toEqual([]);
        expect(JSON.stringify(value)).toBe(before);
      }),
      runs(0.05),
    );
  },
);

test("facts are known of any path", { timeout }, () => {
  const steps = fc.array(fc.oneof(key, fc.nat({ max: 9 })), { maxLength: 6 });
  fc.assert(
    fc.property(steps, (path) => {
      expect(["restart", "hot", "none"]).toContain(reloadKind(path));
      expect(typeof isSecretPath(path)).toBe("boolean");
    }),
    runs(0.1),
  );
});

test("any .env file is read", { timeout }, () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      for (const [name, value] of Object.entries(parseDotEnv(text))) {
        expect(name).toMatch(/^[A-Za-z_]\w*$/u);
        expect(typeof value).toBe("string");
      }
    }),
    runs(0.05),
  );
});

test(
  "files that include each other in any way end in a config or one issue",
  { timeout },
  async () => {
    const folder = await createFolder({ "sub/x": "" });
    const names = ["0.json", "1.json", "2.json", "sub/3.json"];
    const target = fc.constantFrom(
      ...names,
      "./1.json",
      "../0.json",
      "gone.json",
      "/etc/passwd",
      "..",
      "",
      "sub",
      "\0",
    );
    const include = fc.oneof(target, fc.array(target, { maxLength: 3 }), leaf);
    const content = fc.oneof(
      fc.record({ $include: include, gateway: anyValue }, { requiredKeys: [] }),
      fc.record({ gateway: fc.record({ $include: include, port: leaf }, { requiredKeys: [] }) }),
      fc.record({
        agents: fc.record({ list: fc.array(fc.record({ $include: include }), { maxLength: 2 }) }),
      }),
      anyValue,
    );
    await mkdir(join(folder, "sub"), { recursive: true });
    await fc.assert(
      fc.asyncProperty(fc.tuple(content, content, content, content), async (contents) => {
        await Promise.all(
          contents.map((value, index) =>
            writeFile(join(folder, names[index] ?? ""), JSON.stringify(value) ?? "null"),
          ),
        );
        const path = join(folder, "0.json");
        const loaded = await loadConfig({ path, env: {} });
        if (loaded.ok) return;
        for (const issue of loaded.issues) {
          expect(issue.file?.startsWith(folder)).toBe(true);
          expect(issue.line ?? 1).toBe(1);
        }
        const read = await readConfigSources({ path, env: {} });
        if (read.kind !== "read") return;
        const { file } = originOf(read.sources, ["gateway", "port"], read.sources.origins);
        expect([...read.sources.texts.keys()]).toContain(file);
      }),
      runs(0.03),
    );
  },
);
