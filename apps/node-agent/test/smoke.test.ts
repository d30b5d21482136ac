import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startProcess, temporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { VERSION } from "../src/version.ts";

const BINARY = fileURLToPath(new URL("../bin/openclaw-node.js", import.meta.url));
const isBuilt = existsSync(fileURLToPath(new URL("../dist/main.js", import.meta.url)));
if (!isBuilt)
  process.stderr.write("skipped: the openclaw-node binary is not built; run npm run build\n");

test.runIf(isBuilt)(
  "the binary tells why it is not connected, and stops with 0 at SIGTERM",
  async () => {
    await using home = await temporaryDirectory("openclaw-smoke-");
    const env = { HOME: home.path };
    const run = (...args: string[]) => startProcess(process.execPath, [BINARY, ...args], { env });
    await using version = run("--version");
    await version.exited;
    expect(version.stdout).toBe(`${VERSION}\n`);
    // Port 1 belongs to nobody on a machine that runs tests.
    await using node = run("--port", "1");
    await node.line(/Not connected: .*ECONNREFUSED.*next attempt in/);
    node.signal("SIGTERM");
    expect(await node.exited).toEqual({ code: 0, signal: null });
  },
);
