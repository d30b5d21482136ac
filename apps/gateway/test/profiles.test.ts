import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  freePort,
  startProcess,
  temporaryDirectory,
  type TemporaryDirectory,
} from "@openclaw/testkit";
import { expect, test } from "vitest";
import { readInstance } from "../src/instance-file.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** The daemon in a process of its own, from its source. */
function daemon(home: TemporaryDirectory, ...args: string[]) {
  const env = { HOME: home.path, OPENCLAW_DISABLE_BONJOUR: "1" };
  return startProcess(process.execPath, ["--conditions=@openclaw/source", MAIN, ...args], { env });
}

async function configure(home: TemporaryDirectory, profile: string, port: number): Promise<void> {
  const stateDir = home.file(`.openclaw-${profile}`);
  await mkdir(stateDir, { mode: 0o700 });
  const config = {
    gateway: { mode: "local", port, auth: { token: `the-token-of-${profile}-here` } },
  };
  await writeFile(`${stateDir}/openclaw.json`, JSON.stringify(config), { mode: 0o600 });
}

test("pain 32: three profiles that start at once share no port, lock, log or state", async () => {
  await using home = await temporaryDirectory("openclaw-profiles-");
  const profiles = ["one", "two", "three"];
  const ports = await Promise.all(profiles.map(() => freePort()));
  await Promise.all(profiles.map((name, index) => configure(home, name, ports[index] ?? 0)));
  const [one, two, three] = profiles.map((name) => daemon(home, "--profile", name));
  if (one === undefined || two === undefined || three === undefined) throw new Error("not three");
  await using first = one;
  await using second = two;
  await using third = three;
  const lines = await Promise.all(
    [first, second, third].map((gateway) => gateway.line(/WebSocket: ws:\/\/127\.0\.0\.1:(\d+)/)),
  );
  expect(lines.map(([, port]) => Number(port))).toEqual(ports);

  const answers = await Promise.all(ports.map((port) => fetch(`http://127.0.0.1:${port}/healthz`)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  const instances = profiles.map((name) => readInstance(home.file(`.openclaw-${name}`)));
  expect(instances.map((instance) => instance?.port)).toEqual(ports);
  expect(new Set(instances.map((instance) => instance?.pid)).size).toBe(3);
  const logs = await Promise.all(
    profiles.map((name) => readdir(home.file(`.openclaw-${name}`, "logs"))),
  );
  expect(logs.map((names) => names.length)).toEqual([1, 1, 1]);
  // Nothing is left where a Gateway without a profile would be.
  expect(existsSync(home.file(".openclaw"))).toBe(false);

  await using again = daemon(home, "--profile", "one", "--port", "0");
  expect(await again.exited).toMatchObject({ code: 78 });
  expect(again.stderr).toContain(`pid ${instances[0]?.pid}, port ${ports[0]}`);

  for (const gateway of [first, second, third]) gateway.signal("SIGTERM");
  const ends = await Promise.all([first, second, third].map((gateway) => gateway.exited));
  expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
}, 60_000);

test("two profiles on one port: the second is refused and told who has it", async () => {
  await using home = await temporaryDirectory("openclaw-profiles-");
  const port = await freePort();
  await configure(home, "one", port);
  await configure(home, "two", port);
  await using one = daemon(home, "--profile", "one");
  await one.line(/WebSocket/);
  await using two = daemon(home, "--profile", "two");
  expect(await two.exited).toMatchObject({ code: 1 });
  expect(two.stderr).toContain(`port ${port} is in use`);
}, 60_000);

test("a Gateway whose derived ports overlap with those of another profile says so", async () => {
  await using home = await temporaryDirectory("openclaw-profiles-");
  const port = await freePort();
  await configure(home, "one", port);
  await using one = daemon(home, "--profile", "one");
  await one.line(/WebSocket/);
  // Whether the next port is free does not matter: the warning comes before it is asked for.
  await configure(home, "two", port === 65_535 ? port - 1 : port + 1);
  await using two = daemon(home, "--profile", "two");
  await two.line(/Gateway starting/);
  two.signal("SIGTERM");
  await two.exited;
  expect(two.stderr).toContain(`has port ${port}, less than 20 from`);
}, 60_000);
