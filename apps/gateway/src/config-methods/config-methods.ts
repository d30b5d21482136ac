import { randomBytes } from "node:crypto";
import { isObject } from "@openclaw/app-kit";
import {
  type ChangedConfig,
  type ChangeOptions,
  type ConfigPath,
  changedPaths,
  diffConfigs,
  editConfigFile,
  type Env,
  formatConfigPath,
  hashConfigText,
  type KeyFacts,
  loadConfig,
  loadConfigJsonSchema,
  loadKeyFacts,
  mergePatch,
  parseConfigPath,
  parseConfigText,
  readConfigText,
  redactConfig,
  redactConfigText,
  replaceConfigText,
  restoreConfigText,
  restoreSecrets,
} from "@openclaw/config";
import { type Caller, defineMethod, type Method, RequestError } from "@openclaw/gateway-core";
import { methodSchemas, scopeAllows } from "@openclaw/protocol";
import { baseHashRequired, configFailure, invalidConfig } from "./config-failure.ts";
import type { PendingChange } from "./pending-change.ts";
import { hintOf, lookUpSchema, uiHints } from "./schema-hints.ts";
import { createWriteLimit } from "./write-limit.ts";

export interface ConfigMethodsOptions {
  configPath: string;
  /** The environment of the Gateway, in which the config is read. */
  env: Env;
  /** Version of the program, for the stamp in the file and the schema. */
  version: string;
  /** Sends the event `config.changed` to the operators: `gateway.broadcast`. */
  broadcast: (event: string, payload: unknown) => void;
  /** The text that the running Gateway works with. @default the one of the file now */
  appliedText?: () => string | undefined;
  /** What the running Gateway is going to do for a change; for the answer. @default not told */
  effectOf?: (paths: readonly ConfigPath[]) => Promise<ChangeEffect>;
  /** Changes that are taken back unless confirmed. @default `confirmMs` is refused */
  pending?: PendingChange;
  /** @default Date.now */
  now?: () => number;
}

/** What a running Gateway does for a change of its config. */
export interface ChangeEffect {
  readonly kind: "none" | "hot" | "restart";
  /** Why nothing is done although something would have to be. */
  readonly note?: string;
}

interface ChangeParams {
  raw: string;
  baseHash?: string | undefined;
  confirmMs?: number | undefined;
}

/** Reading and changing the config over the wire; to be added with `gateway.method`. */
export function configMethods(options: ConfigMethodsOptions): Method[] {
  const { configPath, env, version, broadcast, pending, now = Date.now } = options;
  // A hash that others see must not let them guess at the secrets of the file.
  const hashKey = randomBytes(32);
  const limit = createWriteLimit(now);

  const hash = (text: string | undefined): string => hashConfigText(text, hashKey);

  async function changeOptions({ baseHash }: ChangeParams): Promise<ChangeOptions> {
    const present = await readConfigText(configPath);
    if (present !== undefined && baseHash === undefined) throw baseHashRequired();
    // Where there is no file there must still be none when it is written.
    return { env, version, hashKey, now, baseHash: baseHash ?? hash(undefined) };
  }

  async function answerTo(
    params: ChangeParams,
    write: () => Promise<ChangedConfig>,
  ): Promise<Record<string, unknown>> {
    const facts = await loadKeyFacts();
    const { changed, ticket } = await writeConfirmed(params, write);
    const paths = changedPaths(changed.before, changed.after);
    const effect = await options.effectOf?.(paths);
    if (changed.changed)
      broadcast("config.changed", { path: changed.path, hash: changed.hash, ts: now() });
    return {
      ok: true,
      path: changed.path,
      hash: changed.hash,
      config: redactConfig(changed.after, facts.isSecretPath),
      changedPaths: paths.map(formatConfigPath),
      restart: effect ?? null,
      sentinel: null,
      ...(ticket === undefined ? {} : { pending: ticket }),
    };
  }

  async function writeConfirmed(
    { confirmMs }: ChangeParams,
    write: () => Promise<ChangedConfig>,
  ): Promise<{ changed: ChangedConfig; ticket?: { id: string; expiresAtMs: number } }> {
    if (confirmMs === undefined) return { changed: await write() };
    if (pending === undefined) {
      throw new RequestError("INVALID_REQUEST", "this Gateway cannot take a change back by itself");
    }
    const { written, ticket } = await pending.begin(confirmMs, write);
    return { changed: written, ticket };
  }

  async function replace(params: ChangeParams): Promise<ChangedConfig> {
    const changing = await changeOptions(params);
    const former = await parsedText(await readConfigText(configPath));
    const raw = await restoreConfigText(params.raw, former);
    return replaceConfigText(configPath, raw, changing);
  }

  async function patch(params: ChangeParams & { replacePaths?: string[] | undefined }) {
    const changing = await changeOptions(params);
    const wanted = await parsePatch(params.raw);
    const replaced = new Set(
      params.replacePaths?.map((one) => formatConfigPath(parseConfigPath(one))),
    );
    const isReplaced = (path: ConfigPath): boolean => replaced.has(formatConfigPath(path));
    return editConfigFile(
      configPath,
      (before) => {
        const after = restoreSecrets(mergePatch(before, wanted, isReplaced), before);
        return diffConfigs(before, after).map(({ path, after: value }) => ({ path, value }));
      },
      changing,
    );
  }

  /** Counts the write, and tells failures as peers know them. */
  async function writing<T>(method: string, caller: Caller, work: () => Promise<T>): Promise<T> {
    limit.take(method, caller);
    try {
      return await work();
    } catch (error) {
      throw configFailure(error);
    }
  }

  return [
    defineMethod({
      name: "config.get",
      access: "operator.read",
      ...methodSchemas["config.get"],
      summary:
        "The config file and what came of it, secrets hidden, with the hash that a writer needs.",
      handler: async (_params, { caller }) =>
        snapshot({ configPath, env, version }, hash, options.appliedText, caller),
    }),
    defineMethod({
      name: "config.set",
      access: "operator.admin",
      ...methodSchemas["config.set"],
      summary: "Puts another text in the place of the config file.",
      handler: async (params, { caller }) =>
        writing("config.set", caller, async () => {
          const { ok, path, hash: newHash, config } = await answerTo(params, () => replace(params));
          return { ok, path, hash: newHash, config };
        }),
    }),
    defineMethod({
      name: "config.patch",
      access: "operator.admin",
      ...methodSchemas["config.patch"],
      summary:
        "Changes single keys of the config by a merge patch, and leaves the rest of the text as it is.",
      handler: async (params, { caller }) =>
        writing("config.patch", caller, () => answerTo(params, () => patch(params))),
    }),
    defineMethod({
      name: "config.apply",
      access: "operator.admin",
      ...methodSchemas["config.apply"],
      summary:
        "Puts another text in the place of the config file, and says what the Gateway does for it.",
      handler: async (params, { caller }) =>
        writing("config.apply", caller, () => answerTo(params, () => replace(params))),
    }),
    ...(pending === undefined
      ? []
      : [
          defineMethod({
            name: "config.confirm",
            access: "operator.admin",
            ...methodSchemas["config.confirm"],
            summary: "Keeps a change that waits, said over a connection made after it was applied.",
            handler: ({ id }, { caller }) => {
              pending.confirm(id, caller);
              return { ok: true, id };
            },
          }),
        ]),
    defineMethod({
      name: "config.schema",
      access: "operator.read",
      ...methodSchemas["config.schema"],
      summary: "The JSON Schema of the config, with hints for forms.",
      handler: async () => {
        const [schema, facts] = await Promise.all([loadConfigJsonSchema(), loadKeyFacts()]);
        const generatedAt = new Date(now()).toISOString();
        return { schema, uiHints: uiHints(schema, facts), version, generatedAt };
      },
    }),
    defineMethod({
      name: "config.schema.lookup",
      access: "operator.read",
      ...methodSchemas["config.schema.lookup"],
      summary:
        "One key of the config: what it may hold, what a change of it needs, and the keys below it.",
      handler: async ({ path }) => schemaPlace(path),
    }),
  ];
}

/** What `config.get` answers. */
async function snapshot(
  where: { configPath: string; env: Env; version: string },
  hash: (text: string | undefined) => string,
  appliedText: (() => string | undefined) | undefined,
  caller: Caller,
): Promise<Record<string, unknown>> {
  const [{ isSecretPath }, text, loaded] = await Promise.all([
    loadKeyFacts(),
    readConfigText(where.configPath).catch(() => undefined),
    loadConfig({ path: where.configPath, env: where.env }),
  ]);
  const parsed = await parsedText(text);
  const exists = loaded.ok ? loaded.exists : true;
  const source = redactConfig(isObject(parsed) ? parsed : {}, isSecretPath);
  const config = redactConfig<object>(loaded.ok ? loaded.config : {}, isSecretPath);
  const applied = appliedText === undefined ? text : appliedText();
  const running = applied === text ? parsed : await parsedText(applied);
  // A comment may tell what a key no longer does; who may not write the file has no use for it.
  const raw = scopeAllows(caller.scopes, "operator.admin")
    ? await redactConfigText(text ?? "", isSecretPath)
    : `${JSON.stringify(source, undefined, 2)}\n`;
  const revision = hash(text);
  return {
    path: where.configPath,
    exists,
    raw: text === undefined || parsed === undefined ? null : raw,
    parsed: parsed === undefined ? null : source,
    valid: loaded.ok,
    config,
    // Without a hash a writer cannot replace what nobody could read.
    ...(exists && text === undefined ? {} : { hash: revision, configRevisionHash: revision }),
    issues: loaded.ok ? [] : loaded.issues.map(({ path, message }) => ({ path, message })),
    warnings: loaded.ok ? loaded.warnings.map((message) => ({ path: "", message })) : [],
    legacyIssues: [],
    sourceConfig: source,
    // As it is written, so that it can be compared with `sourceConfig`.
    runtimeConfig: redactConfig(isObject(running) ? running : {}, isSecretPath),
    resolved: config,
    appliedConfigHash: hash(applied),
  };
}

async function schemaPlace(path: string): Promise<Record<string, unknown>> {
  const [schema, facts] = await Promise.all([loadConfigJsonSchema(), loadKeyFacts()]);
  const keys = path === "." ? [] : pathKeys(path);
  const place = lookUpSchema(schema, keys, facts);
  if (place === undefined) {
    throw new RequestError("INVALID_REQUEST", `config path not found: ${path}`);
  }
  const hint = hintOf(place.schema, keys, facts);
  return {
    path: keys.length === 0 ? "." : formatConfigPath(keys),
    schema: place.schema,
    reloadKind: facts.reloadKind(keys),
    ...(hint === undefined ? {} : { hint }),
    children: place.children.map((child) => childFacts(child, facts)),
  };
}

function childFacts<T extends { path: string }>(child: T, { reloadKind }: KeyFacts): T {
  const keys = child.path.split(".").map((key) => (key === "*" ? 0 : key));
  return { ...child, reloadKind: reloadKind(keys) };
}

function pathKeys(path: string): ConfigPath {
  try {
    return parseConfigPath(path);
  } catch (error) {
    throw configFailure(error);
  }
}

async function parsePatch(raw: string): Promise<object> {
  const value = await parsedText(raw);
  if (isObject(value)) return value;
  throw invalidConfig([{ path: "<root>", message: "the patch is not an object of JSON" }]);
}

/** The object of a text; `undefined` where it is none. */
async function parsedText(text: string | undefined): Promise<unknown> {
  const parsed = await parseConfigText(text ?? "");
  return parsed.ok ? parsed.value : undefined;
}
