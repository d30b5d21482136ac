import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { createMemoryIo } from "@openclaw/app-kit/testing";
import { resolvePaths } from "@openclaw/config";
import { runGateway } from "@openclaw/gateway";
import { expect, onTestFinished, test } from "vitest";
import { createCli, startGateway, TOKEN } from "./cli-fixture.ts";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** A command line, and a Gateway that runs with the same home. */
async function stand() {
  const cli = await createCli();
  onTestFinished(() => cli[Symbol.asyncDispose]());
  const { io, signal } = createMemoryIo({ home: cli.home.path });
  const paths = resolvePaths({ env: io.env, homedir: cli.home.path });
  await mkdir(paths.stateDir, { recursive: true });
  const config = {
    gateway: { mode: "local", port: await freePort(), auth: { token: TOKEN } },
    discovery: { mdns: { mode: "off" } },
  };
  await writeFile(paths.configPath, `// mine\n${JSON.stringify(config)}\n`);
  const ready = Promise.withResolvers<unknown>();
  const exitCode = runGateway({ flags: {}, io, paths, onReady: ready.resolve });
  onTestFinished(async () => {
    signal();
    await exitCode;
  });
  await ready.promise;
  return { cli, path: paths.configPath };
}

test("config set --confirm moves the Gateway and comes in by the new way", async () => {
  const { cli, path } = await stand();
  const port = await freePort();
  const args = ["config", "set", "gateway.port", String(port), "--confirm", "50s", "--json"];
  const result = await cli.run(args);
  expect(result).toMatchObject({ code: 0 });
  expect(result.json()).toMatchObject({
    confirmed: true,
    changedPaths: ["gateway.port"],
    url: expect.stringContaining(String(port)),
  });
  const text = await readFile(path, "utf8");
  expect(text).toContain("// mine");
  expect(text).toContain(TOKEN);
});

test("config apply --confirm with another secret is confirmed with that secret", async () => {
  const { cli, path } = await stand();
  const stdin = (await readFile(path, "utf8")).replace(TOKEN, "another-token-of-the-suite");
  const { code, stdout, stderr } = await cli.run(["config", "apply", "-", "--confirm", "50s"], {
    stdin,
  });
  expect({ code, stdout }).toMatchObject({ code: 0 });
  expect(stdout + stderr).not.toContain("another-token");
  expect(stdout).toContain("Applied and confirmed");
});

test("what cannot be confirmed is refused by the command, and taken back by the Gateway", async () => {
  const { cli, path } = await stand();
  const before = await readFile(path, "utf8");
  // The command goes on asking with the secret that it was given.
  const args = ["config", "set", "gateway.auth.token", "yet-another-token-of-the-suite"];
  const given = ["--confirm", "2s", "--url", `ws://127.0.0.1:${portOf(before)}`, "--token", TOKEN];
  const { code, stderr } = await cli.run([...args, ...given]);
  expect(code).toBe(1);
  expect(stderr).toContain("nobody could confirm the change");
  await expect.poll(() => readFile(path, "utf8"), { timeout: 20_000 }).toBe(before);
});

test("config diff compares with the running Gateway", async () => {
  const { cli, path } = await stand();
  expect((await cli.run(["config", "diff"])).stdout).toContain("No difference");
  const text = await readFile(path, "utf8");
  const port = await freePort();
  await writeFile(
    path,
    text
      .replace('"gateway":{', '"gateway":{"reload":{"mode":"off"},')
      .replace(/"port":\d+/u, `"port":${port}`),
  );
  const result = await cli.run([
    "config",
    "diff",
    "--json",
    "--url",
    `ws://127.0.0.1:${portOf(text)}`,
    "--token",
    TOKEN,
  ]);
  expect(result.json()).toMatchObject({
    changes: expect.arrayContaining([{ path: "gateway.port", before: portOf(text), after: port }]),
  });
});

test("config diff compares with the Gateway that is named, also where none runs", async () => {
  const { path } = await stand();
  const url = `ws://127.0.0.1:${portOf(await readFile(path, "utf8"))}`;
  await using elsewhere = await createCli();
  await elsewhere.run(["config", "set", "logging.level", "debug"]);
  const result = await elsewhere.run(["config", "diff", "--json", "--url", url, "--token", TOKEN]);
  expect(result.json()).toMatchObject({ against: expect.stringContaining(url) });
});

test("a Gateway that cannot take a change back is asked for none", async () => {
  const cli = await createCli();
  onTestFinished(() => cli[Symbol.asyncDispose]());
  const gateway = await startGateway();
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  const args = ["config", "set", "gateway.port", "1", "--confirm", "1m", ...gateway.flags];
  const { code, stderr } = await cli.run(args);
  expect(code).toBe(1);
  expect(stderr).toContain("cannot take a change back");
});

function portOf(text: string): number {
  return Number(/"port":(\d+)/u.exec(text)?.[1]);
}
