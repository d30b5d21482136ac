import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import * as client from "../src/index.ts";
import { CLIENT_VERSION } from "../src/client-version.ts";

test("the package exports these names", () => {
  expect(Object.keys(client).toSorted()).toEqual([
    "GatewayError",
    "RemoteError",
    "backoffDelayMs",
    "checkGatewayUrl",
    "connectGateway",
    "createEphemeralIdentity",
    "createGatewayClient",
    "createMemoryTokenStore",
    "decodeSetupCode",
    "defaultBackoff",
    "fileTokenStore",
    "loadOrCreateDeviceIdentity",
  ]);
});

test("the version that a client reports is that of the package", async () => {
  const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
  expect(CLIENT_VERSION).toBe(manifest.version);
});
