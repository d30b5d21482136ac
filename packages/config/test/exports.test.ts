import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import * as api from "../src/index.ts";

test("the list of entries changes only on purpose", () => {
  expect(Object.keys(api).sort()).toEqual([
    "ConfigError",
    "DEFAULT_PORT",
    "DEV_GATEWAY_PORT",
    "GatewayCredentialsError",
    "MISSING_REMOTE_URL_SOURCE",
    "REDACTED",
    "applyProfile",
    "changedPaths",
    "diffConfigs",
    "editConfigFile",
    "editConfigText",
    "expandHome",
    "findFormerConfig",
    "findRivalConfigs",
    "findSecrets",
    "formatConfigPath",
    "formatSshAddress",
    "formatTlsPin",
    "formerSecrets",
    "hashConfigText",
    "isEnvSwitchOn",
    "isLoopbackHost",
    "isPlaintextHost",
    "isProfileName",
    "listConfigKeys",
    "loadConfig",
    "loadConfigDefaults",
    "loadConfigJsonSchema",
    "loadDotEnv",
    "loadKeyFacts",
    "markConfigGood",
    "matchesTlsPin",
    "mergePatch",
    "migrateConfigKeys",
    "migrateState",
    "normalizeEnv",
    "normalizeGatewayUrl",
    "parseConfigPath",
    "parseConfigText",
    "parseDotEnv",
    "parseProfileFlags",
    "parseSshAddress",
    "parseTlsPin",
    "readConfigLoosely",
    "readConfigText",
    "readEnv",
    "readGatewayAddress",
    "readSshAddress",
    "readTlsPins",
    "redactConfig",
    "redactConfigText",
    "refuseInsecureTarget",
    "replaceConfigText",
    "resolveCredentials",
    "resolveGatewayPort",
    "resolveGatewayTarget",
    "resolvePaths",
    "resolveServerAuth",
    "restoreConfigText",
    "restoreSecrets",
    "sshEndpointKey",
    "sshGatewayAddress",
    "stateFiles",
    "substituteVariables",
    "undoStateMigration",
    "valueAtPath",
    "withGivenPins",
  ]);
});

test("importing the package loads neither json5 nor the schema, nor what migrates and includes", () => {
  const source = join(import.meta.dirname, "../src");
  const seen = new Set<string>();
  const packages = new Set<string>();
  const queue = [join(source, "index.ts")];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const text = readFileSync(path, "utf8");
    // Static imports of values; types vanish, and import() waits until it is called.
    for (const [, name = ""] of text.matchAll(
      /^(?:import|export) (?!type )[^;]*? from "([^"]+)"/gmu,
    )) {
      if (name.startsWith(".")) queue.push(join(dirname(path), name));
      else packages.add(name);
    }
  }
  expect(seen.size).toBeGreaterThan(10);
  expect([...packages].filter((name) => !name.startsWith("node:"))).toEqual([]);
  const isLazy = /src\/(?:schema|include)\/|src\/migration\/(?!migrate\.ts)/u;
  expect([...seen].filter((path) => isLazy.test(path))).toEqual([]);
});
