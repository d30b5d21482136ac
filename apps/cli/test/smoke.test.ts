import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  hasAsyncssh,
  hasSshd,
  startMisbehavingSshServer,
  startProcess,
  temporaryDirectory,
} from "@openclaw/testkit";
import { expect, test } from "vitest";
import { VERSION } from "../src/version.ts";
import { startGateway, TOKEN } from "./cli-fixture.ts";
import { startSshGateway } from "./ssh-rig.ts";

const BINARY = fileURLToPath(new URL("../bin/openclaw.js", import.meta.url));
const isBuilt = existsSync(fileURLToPath(new URL("../dist/main.js", import.meta.url)));
if (!isBuilt)
  process.stderr.write("skipped: the openclaw binary is not built; run npm run build\n");

/** Runs the built program in an empty home and waits for its end. */
async function openclaw(args: string[], env: Record<string, string> = {}) {
  await using home = await temporaryDirectory("openclaw-smoke-");
  await using child = startProcess(process.execPath, [BINARY, ...args], {
    env: { HOME: home.path, ...env },
  });
  const { code } = await child.exited;
  return { code, stdout: child.stdout, stderr: child.stderr };
}

test("the version is printed without anything being built or loaded", async () => {
  expect(await openclaw(["--version"])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: "" });
});

test.runIf(isBuilt)(
  "what every command loads holds neither zod nor the Gateway nor commander nor SSH",
  async () => {
    const main = await readFile(new URL("../dist/main.js", import.meta.url), "utf8");
    expect(main).not.toMatch(/ZodError|createGateway\(|CommanderError|ssh-userauth/);
    // With all commands; a run reads the file once and compiles the functions it calls.
    expect(main.length).toBeLessThan(1_100_000);
  },
);

test.runIf(isBuilt)(
  "health, help and a typing error end by themselves with their code",
  async () => {
    await using gateway = await startGateway();
    const env = { OPENCLAW_GATEWAY_TOKEN: TOKEN, OPENCLAW_GATEWAY_PORT: String(gateway.port) };
    const health = await openclaw(["health", "--json"], env);
    expect(health).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(health.stdout)).toMatchObject({ ok: true });
    expect((await openclaw(["nodes", "--help"])).stdout).toContain("Examples");
    const typo = await openclaw(["nodes", "lst", "--json"]);
    expect(typo.code).toBe(1);
    expect(JSON.parse(typo.stdout)).toMatchObject({
      error: { type: "cli_error", message: "unknown command 'lst'", hints: ["Did you mean list?"] },
    });
  },
);

test.runIf(isBuilt)(
  "an invalid config is found by the schema, which is a file of its own",
  async () => {
    await using home = await temporaryDirectory("openclaw-smoke-");
    const path = home.file("openclaw.json");
    await writeFile(path, '{"gateway":{"prot":1}}');
    const result = await openclaw(["nodes", "list", "--json"], { OPENCLAW_CONFIG_PATH: path });
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stdout)).toMatchObject({
      error: { type: "cli_error", kind: "config" },
    });
  },
);

test.runIf(isBuilt && hasSshd)("health goes over SSH with what lies in the bundle", async () => {
  await using far = await startSshGateway();
  const health = await openclaw(["health", "--json", ...far.flags]);
  expect(health).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(health.stdout)).toMatchObject({ ok: true });
});

test.runIf(isBuilt && hasAsyncssh)("Ctrl-C leaves an SSH server that says nothing", async () => {
  await using home = await temporaryDirectory("openclaw-smoke-");
  await using server = await startMisbehavingSshServer("stall-before-banner");
  const args = ["health", "--url", `ssh://me@${server.host}:${server.port}`, "--token", TOKEN];
  await using child = startProcess(process.execPath, [BINARY, ...args], {
    env: { HOME: home.path },
  });
  await server.event("connection");
  child.signal("SIGINT");
  expect(await child.exited).toEqual({ code: 130, signal: null });
});

test.runIf(isBuilt)("gateway run and node run meet, and both stop with 0 at SIGTERM", async () => {
  await using home = await temporaryDirectory("openclaw-smoke-");
  const env = { HOME: home.path, OPENCLAW_GATEWAY_TOKEN: TOKEN };
  const run = (...args: string[]) => startProcess(process.execPath, [BINARY, ...args], { env });
  await using gateway = run("gateway", "run", "--port", "0", "--token", TOKEN);
  const [, port = ""] = await gateway.line(/WebSocket: ws:\/\/127\.0\.0\.1:(\d+)/);
  await using node = run("node", "run", "--port", port, "--display-name", "smoke");
  await node.line(/Connected to .* as smoke/);
  const invoked = await openclaw(
    ["nodes", "run", "--node", "smoke", "--", "echo", "through the whole way"],
    { OPENCLAW_GATEWAY_TOKEN: TOKEN, OPENCLAW_GATEWAY_PORT: port },
  );
  expect(invoked).toEqual({ code: 0, stdout: "through the whole way\n", stderr: "" });
  node.signal("SIGTERM");
  expect(await node.exited).toEqual({ code: 0, signal: null });
  gateway.signal("SIGTERM");
  expect(await gateway.exited).toEqual({ code: 0, signal: null });
  expect(gateway.stderr).not.toContain("ExperimentalWarning");
});
