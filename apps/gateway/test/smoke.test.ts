import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startProcess, temporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { VERSION } from "../src/version.ts";

const BINARY = fileURLToPath(new URL("../bin/openclaw-gateway.js", import.meta.url));
const isBuilt = existsSync(fileURLToPath(new URL("../dist/main.js", import.meta.url)));
if (!isBuilt)
  process.stderr.write("skipped: the openclaw-gateway binary is not built; run npm run build\n");

test.runIf(isBuilt)("the binary listens, says where, and stops with 0 at SIGTERM", async () => {
  await using home = await temporaryDirectory("openclaw-smoke-");
  const env = { HOME: home.path };
  const run = (...args: string[]) => startProcess(process.execPath, [BINARY, ...args], { env });
  await using version = run("--version");
  await version.exited;
  expect(version.stdout).toBe(`${VERSION}\n`);
  await using gateway = run("--port", "0", "--auth", "none");
  const [, port = ""] = await gateway.line(/WebSocket: ws:\/\/127\.0\.0\.1:(\d+)/);
  const response = await fetch(`http://127.0.0.1:${port}/healthz`);
  expect(await response.json()).toEqual({ ok: true, status: "live" });
  gateway.signal("SIGTERM");
  expect(await gateway.exited).toEqual({ code: 0, signal: null });
  expect(gateway.stderr).not.toContain("ExperimentalWarning");
});
