import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { temporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import {
  createServiceManager,
  type ServiceDefinition,
  serviceEnvironment,
  serviceNames,
} from "../src/index.ts";
import { createFakeTaskScheduler, type FakeTaskSchedulerOptions } from "./fake-schtasks.ts";

const TASK = "OpenClaw Node";

async function createWindows(options: FakeTaskSchedulerOptions = {}) {
  const state = await temporaryDirectory();
  const scheduler = createFakeTaskScheduler(options);
  const slept: number[] = [];
  const manager = createServiceManager({
    platform: "win32",
    home: state.path,
    uid: -1,
    user: "BOX\\me",
    stateDir: state.path,
    run: scheduler.run,
    sleep: async (ms) => void slept.push(ms),
  });
  const definition: ServiceDefinition = {
    kind: "node",
    description: "OpenClaw Node",
    programArguments: [
      String.raw`C:\Program Files\nodejs\node.exe`,
      String.raw`C:\openclaw.js`,
      "node",
      "run",
    ],
    environment: serviceEnvironment({
      kind: "node",
      names: serviceNames("node"),
      home: String.raw`C:\Users\me`,
      stateDir: state.path,
      configPath: `${state.path}/openclaw.json`,
      version: "1.2.3",
    }),
  };
  return {
    state,
    scheduler,
    slept,
    manager,
    definition,
    script: state.file("node.cmd"),
    verbs: () => scheduler.calls.map(([, verb]) => verb),
    [Symbol.asyncDispose]: () => state[Symbol.asyncDispose](),
  };
}

test("a task is made for the user and started", async () => {
  await using windows = await createWindows();
  const { manager, definition, scheduler, script } = windows;
  expect(await manager.install(definition)).toEqual({
    result: "installed",
    label: TASK,
    path: script,
    warnings: [],
  });
  expect(scheduler.tasks.get(TASK)).toMatchObject({ user: "BOX\\me", isRunning: true });
  expect(await readFile(script, "utf8")).toContain("node run\r\n");
  expect(await manager.status(definition)).toMatchObject({
    label: TASK,
    loaded: true,
    loadedText: "registered",
    notLoadedText: "missing",
    command: { programArguments: definition.programArguments, sourcePath: script },
    runtime: {
      status: "running",
      state: "Running",
      lastRunTime: "11/21/2026 1:45:07 PM",
      lastRunResult: "267009",
    },
    configAudit: { ok: true, issues: [] },
  });
});

test("where no user may be named the task is made without one", async () => {
  await using windows = await createWindows({ refusesUser: true });
  await windows.manager.install(windows.definition);
  expect(windows.scheduler.tasks.get(TASK)).toMatchObject({ user: undefined, isRunning: true });
});

test("a refusal advises a shell with more rights, and leaves no script", async () => {
  await using windows = await createWindows({ refusesAll: true });
  await expect(windows.manager.install(windows.definition)).rejects.toMatchObject({
    code: "ACCESS_DENIED",
    hints: [expect.stringContaining("administrator")],
  });
  expect(existsSync(windows.script)).toBe(false);
});

test("a restart waits until the former run has ended", async () => {
  await using windows = await createWindows({ lingers: 2 });
  const { manager, definition, slept } = windows;
  await manager.install(definition);
  expect(await manager.restart(definition)).toEqual({ result: "restarted", label: TASK });
  expect(slept).toEqual([200, 200]);
  expect((await manager.status(definition)).runtime.status).toBe("running");
});

test("stopping twice is no failure", async () => {
  await using windows = await createWindows();
  const { manager, definition } = windows;
  await manager.install(definition);
  expect(await manager.stop(definition)).toMatchObject({ result: "stopped" });
  expect(await manager.stop(definition, { disable: true })).toMatchObject({ result: "stopped" });
  expect((await manager.status(definition)).runtime).toMatchObject({
    status: "stopped",
    state: "Disabled",
    lastRunResult: "1",
  });
});

test("an installed task is left alone without force, and ended before it is replaced", async () => {
  await using windows = await createWindows();
  const { manager, definition, verbs } = windows;
  await manager.install(definition);
  expect(await manager.install(definition)).toMatchObject({ result: "already-installed" });
  const before = verbs().length;
  expect(await manager.install(definition, { force: true })).toMatchObject({ result: "updated" });
  expect(
    verbs()
      .slice(before)
      .filter((verb) => verb !== "/Query"),
  ).toEqual(["/End", "/Create", "/Run"]);
});

test("uninstalling ends and deletes the task and its script", async () => {
  await using windows = await createWindows();
  const { manager, definition, scheduler, script } = windows;
  await manager.install(definition);
  expect(await manager.uninstall(definition)).toMatchObject({ result: "uninstalled" });
  expect(scheduler.tasks.size).toBe(0);
  expect(existsSync(script)).toBe(false);
  expect((await manager.status(definition)).runtime).toEqual({
    status: "stopped",
    missingUnit: true,
  });
});

test("tunnels are listed with their names", async () => {
  await using windows = await createWindows();
  const { manager, definition, state } = windows;
  const environment = serviceEnvironment({
    kind: "tunnel",
    names: serviceNames("tunnel", undefined, "box"),
    name: "box",
    home: "C:\\",
    stateDir: state.path,
    configPath: "C:\\x",
    version: "1",
  });
  await manager.install({ ...definition, kind: "tunnel", name: "box", environment });
  await manager.install(definition);
  expect(await manager.list("tunnel")).toMatchObject([
    {
      ref: { kind: "tunnel", name: "box" },
      status: { label: "OpenClaw SSH Tunnel (box)", loaded: true },
    },
  ]);
});

test("tasks of former names are found by name and content, and deleted", async () => {
  await using windows = await createWindows();
  const { manager, scheduler } = windows;
  const task = { user: undefined, isRunning: true, isEnabled: true, result: "0" };
  scheduler.tasks.set("Clawdbot Gateway", {
    ...task,
    run: String.raw`C:\Users\me\.clawdbot\gateway.cmd`,
  });
  scheduler.tasks.set("Moltbot Gateway (work)", {
    ...task,
    run: String.raw`C:\.moltbot\gateway.cmd`,
  });
  scheduler.tasks.set("Moltbot Gateway", { ...task, run: "notepad.exe" });
  const found = await manager.findLeftovers();
  expect(found.map(({ label, recommendation }) => [label, recommendation])).toEqual([
    ["Clawdbot Gateway", "remove"],
    ["Moltbot Gateway (work)", "remove"],
  ]);
  for (const leftover of found) {
    // oxlint-disable-next-line no-await-in-loop
    await manager.removeLeftover(leftover);
  }
  expect([...scheduler.tasks.keys()]).toEqual(["Moltbot Gateway"]);
});
