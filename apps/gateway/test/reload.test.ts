import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { loadConfig, type LoadedConfig } from "@openclaw/config";
import { temporaryDirectory } from "@openclaw/testkit";
import { expect, onTestFinished, test, vi } from "vitest";
import { createConfigReloader, type GoodConfig, planReload } from "../src/reload/index.ts";

interface Log {
  level: string;
  fields: Record<string, unknown>;
  message: string;
}

/** A reloader over a real file, whose time is the test's own. */
async function stand(
  text: string,
  makePath = (file: (...names: string[]) => string) => file("c.json"),
  refuse?: (config: GoodConfig) => string | undefined,
) {
  const home = await temporaryDirectory();
  onTestFinished(() => home[Symbol.asyncDispose]());
  const configPath = makePath(home.file);
  await writeFile(configPath, text);
  const logs: Log[] = [];
  const log = (level: string) => (fields: object, message: string) =>
    void logs.push({ level, fields: { ...fields }, message });
  const read = (): Promise<LoadedConfig> => loadConfig({ path: configPath, env: {} });
  const started = (await read()) as GoodConfig;
  const apply = vi.fn<(config: GoodConfig) => void>();
  const restart = vi.fn();
  const onApplied = vi.fn();
  const waiting = new Map<() => void, number>();
  const reloader = createConfigReloader({
    configPath,
    started,
    read,
    apply,
    restart,
    onApplied,
    ...(refuse === undefined ? {} : { refuse }),
    logger: { info: log("info"), warn: log("warn"), error: log("error"), debug: log("debug") },
    schedule(work, delayMs) {
      waiting.set(work, delayMs);
      return () => void waiting.delete(work);
    },
  });
  onTestFinished(() => reloader.stop());
  await reloader.start();
  return {
    home,
    configPath,
    logs,
    apply,
    restart,
    onApplied,
    reloader,
    waiting,
    write: (next: string) => writeFile(configPath, next),
    /** Waits until the change was noticed, lets the debounce pass, and looks. */
    async noticed(): Promise<number> {
      await expect.poll(() => waiting.size, { timeout: 20_000 }).toBeGreaterThan(0);
      const delays = [...waiting.values()];
      const works = [...waiting.keys()];
      waiting.clear();
      for (const work of works) work();
      await reloader.check();
      return delays[0] ?? 0;
    },
  };
}

const LOCAL = '{gateway: {mode: "local", auth: {token: "first"}}}';

test("a part that can be applied live is applied once the file was quiet for a while", async () => {
  const { write, noticed, apply, restart, onApplied, logs, reloader } = await stand(LOCAL);
  const next = LOCAL.replace("first", "second");
  await write(next);
  expect(await noticed()).toBe(300);
  expect(apply).toHaveBeenCalledOnce();
  expect(apply.mock.calls[0]?.[0].config.gateway?.auth?.token).toBe("second");
  expect(restart).not.toHaveBeenCalled();
  expect(onApplied).toHaveBeenLastCalledWith(next);
  expect(reloader.appliedText).toBe(next);
  expect(JSON.stringify(logs)).not.toContain("second");
});

test("a part that needs a restart asks for one, and then the reloader is done", async () => {
  const { write, noticed, apply, restart, logs, reloader } = await stand(LOCAL);
  await write(LOCAL.replace("{mode", "{port: 19000, mode"));
  await noticed();
  expect(restart).toHaveBeenCalledOnce();
  expect(apply).not.toHaveBeenCalled();
  expect(logs).toContainEqual(
    expect.objectContaining({ level: "info", fields: { keys: ["gateway.port"] } }),
  );
  await reloader.check();
  expect(restart).toHaveBeenCalledOnce();
});

test("what concerns clients alone is taken without a word", async () => {
  const { write, noticed, apply, restart, logs, onApplied } = await stand(LOCAL);
  await write('{gateway: {mode: "local", auth: {token: "first"}, remote: {remotePort: 1}}}');
  await noticed();
  expect([apply, restart].map((one) => one.mock.calls.length)).toEqual([0, 0]);
  expect(logs).toEqual([]);
  expect(onApplied).toHaveBeenCalled();
});

test.each([
  ["off", 0, 0, "config change ignored"],
  ["restart", 0, 1, "config changed; the Gateway restarts"],
  ["hot", 1, 0, "config change needs a restart"],
  ["hybrid", 0, 1, "config changed; the Gateway restarts"],
])("mode %s: applied %i times, restarted %i times", async (mode, applied, restarted, message) => {
  const text = `{gateway: {mode: "local", reload: {mode: "${mode}"}, auth: {token: "first"}}}`;
  const { write, noticed, apply, restart, logs } = await stand(text);
  await write(text.replace("first", "second").replace("{mode", '{bind: "lan", mode'));
  await noticed();
  expect([apply, restart].map((one) => one.mock.calls.length)).toEqual([applied, restarted]);
  expect(logs.map((log) => log.message)).toContain(message);
});

test("a file that is wrong is told once, and the running config is kept", async () => {
  const { write, noticed, apply, restart, logs, reloader } = await stand(LOCAL);
  for (const wrong of ["{gateway: ", "{gateway: "]) {
    // oxlint-disable-next-line no-await-in-loop
    await write(wrong);
    // oxlint-disable-next-line no-await-in-loop
    await noticed();
  }
  expect([apply, restart].map((one) => one.mock.calls.length)).toEqual([0, 0]);
  expect(logs.map(({ level, message }) => [level, message])).toEqual([
    ["error", "the config file is invalid; the running config is kept"],
  ]);
  expect(reloader.appliedText).toBe(LOCAL);
  await write(LOCAL.replace("first", "mended"));
  await noticed();
  expect(apply).toHaveBeenCalledOnce();
});

test("a change that cannot be applied is told, and tried again with the next one", async () => {
  const { write, noticed, apply, logs } = await stand(LOCAL);
  apply.mockImplementation(() => {
    throw new Error("no");
  });
  await write(LOCAL.replace("first", "second"));
  await noticed();
  expect(new Set(logs.map(({ message }) => message))).toEqual(
    new Set(["the changed config cannot be applied; the running one is kept"]),
  );
  apply.mockReset();
  await write(LOCAL.replace("first", "third"));
  await noticed();
  expect(apply).toHaveBeenCalledOnce();
});

test("a file that is replaced by a rename is seen, again and again", async () => {
  const { home, configPath, noticed, apply } = await stand(LOCAL);
  for (const token of ["second", "third"]) {
    // oxlint-disable-next-line no-await-in-loop
    await writeFile(home.file("draft"), LOCAL.replace("first", token));
    // oxlint-disable-next-line no-await-in-loop
    await rename(home.file("draft"), configPath);
    // oxlint-disable-next-line no-await-in-loop
    await noticed();
  }
  expect(apply).toHaveBeenCalledTimes(2);
});

test("a folder that goes and comes back is watched again", async () => {
  const home = await temporaryDirectory();
  onTestFinished(() => home[Symbol.asyncDispose]());
  await mkdir(home.file("state"));
  const { configPath, noticed, apply, restart, logs } = await stand(LOCAL, () =>
    home.file("state", "c.json"),
  );
  await rm(home.file("state"), { recursive: true });
  await noticed();
  expect(restart).not.toHaveBeenCalled();
  expect(logs.map(({ message }) => message)).toContain(
    "the config file is gone; the running config is kept",
  );
  await mkdir(home.file("state"));
  await noticed();
  await writeFile(configPath, LOCAL.replace("first", "second"));
  await noticed();
  expect(apply.mock.calls.at(-1)?.[0].config.gateway?.auth?.token).toBe("second");
});

test("a link and what it leads to are both watched", async () => {
  const home = await temporaryDirectory();
  onTestFinished(() => home[Symbol.asyncDispose]());
  await mkdir(home.file("elsewhere"));
  await writeFile(home.file("elsewhere", "real.json"), LOCAL);
  await symlink("elsewhere/real.json", home.file("c.json"));
  const { noticed, apply } = await stand(LOCAL, () => home.file("c.json"));
  await writeFile(home.file("elsewhere", "real.json"), LOCAL.replace("first", "second"));
  await noticed();
  expect(apply).toHaveBeenCalledOnce();
});

test("included files are watched", async () => {
  const home = await temporaryDirectory();
  onTestFinished(() => home[Symbol.asyncDispose]());
  await writeFile(home.file("auth.json5"), '{token: "first"}');
  const text = '{gateway: {mode: "local", auth: {$include: "./auth.json5"}}}';
  const { noticed, apply } = await stand(text, () => home.file("c.json"));
  await writeFile(home.file("auth.json5"), '{token: "second"}');
  await noticed();
  expect(apply.mock.calls[0]?.[0].config.gateway?.auth?.token).toBe("second");
});

test("a file that is written without pause is looked at all the same", async () => {
  const { write, waiting } = await stand(LOCAL);
  const first: (() => void)[] = [];
  for (let count = 0; count < 40; count += 1) {
    // oxlint-disable-next-line no-await-in-loop
    await write(`${LOCAL}${" ".repeat(count)}`);
    // oxlint-disable-next-line no-await-in-loop
    await expect.poll(() => waiting.size).toBe(1);
    first.push(...waiting.keys());
  }
  // From some point on the timer is left alone, so that it can fire.
  await expect.poll(() => first.at(-1) === first.at(-2)).toBe(true);
});

test("a change that the Gateway would not start with is told, and not taken", async () => {
  const { write, noticed, restart, apply, logs, reloader } = await stand(
    LOCAL,
    undefined,
    (config) => (config.config.gateway?.port === 19_000 ? "there is no secret" : undefined),
  );
  await write(LOCAL.replace("{mode", "{port: 19000, mode"));
  await noticed();
  expect([apply, restart].map((one) => one.mock.calls.length)).toEqual([0, 0]);
  expect(logs).toEqual([
    {
      level: "error",
      fields: expect.objectContaining({ problems: ["there is no secret"] }),
      message: "the Gateway would not start with the changed config; the running one is kept",
    },
  ]);
  expect(reloader.appliedText).toBe(LOCAL);
});

test("a change of a key below a section that is new counts as the section", () => {
  const kinds = (path: readonly (string | number)[]) =>
    path[0] === "gateway" ? "restart" : "none";
  expect(planReload([["gateway", "auth"]], "hybrid", kinds)).toMatchObject({ kind: "restart" });
  expect(planReload([["gateway", "auth", "token"]], "hybrid", kinds)).toMatchObject({
    kind: "hot",
    hot: ["gateway.auth.token"],
  });
  expect(planReload([["session"]], "restart", kinds)).toMatchObject({ kind: "none" });
});
