import { readdir, readFile, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
  createFaultProxy,
  hasSshd,
  sshTestRig,
  startProcess,
  temporaryDirectory,
} from "@openclaw/testkit";
import type { SshTestRig, TemporaryDirectory, TestProcess } from "@openclaw/testkit";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { reapOrphans } from "../../src/engines/system/child-records.ts";
import { isRunning, openTo, settingsFor } from "./support.ts";

const OWNER = [
  ...["--conditions=@openclaw/source", "--disable-warning=ExperimentalWarning"],
  fileURLToPath(new URL("owner.ts", import.meta.url)),
];

/** Starts a process that opens a connection and keeps it. */
function startOwner(rig: SshTestRig, stateDirectory: string): TestProcess {
  const { server, identity, knownHosts } = rig;
  const { host, port, user } = server;
  const input = {
    rig: { server: { host, port, user }, identity, knownHosts },
    state: stateDirectory,
  };
  return startProcess(process.execPath, OWNER, {
    env: { ...rig.env },
    input: JSON.stringify(input),
  });
}

// A directory of its own for what the engine leaves there: other tests run at the same time.
let temporary: TemporaryDirectory;
const usual = process.env["TMPDIR"];
beforeAll(async () => {
  temporary = await temporaryDirectory("oc-");
  process.env["TMPDIR"] = temporary.path;
});
afterAll(async () => {
  if (usual === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = usual;
  await temporary[Symbol.asyncDispose]();
});

/** The engine's own directories. */
async function leftovers(): Promise<string[]> {
  const names = await readdir(temporary.path);
  return names.filter((name) => name.startsWith("openclaw-ssh-"));
}

/** Unix sockets in those directories on which anybody listens, as the kernel has them. */
async function controlSockets(): Promise<string[]> {
  const table = await readFile("/proc/net/unix", "utf8");
  return table.split("\n").filter((line) => line.includes(`${temporary.path}/openclaw-ssh-`));
}

describe.skipIf(!hasSshd)("the end of a connection through the system's ssh", () => {
  test("close() is one goodbye, and leaves no process, no directory and no record", async () => {
    await using rig = await sshTestRig();
    await using state = await temporaryDirectory();
    const connection = await openTo(rig, { options: { stateDirectory: state.path } });
    const { pid } = connection.info;
    const channel = await connection.connect({ host: "127.0.0.1", port: rig.echo.port });
    const ended = once(channel, "close");
    expect(await readdir(state.file("ssh-children"))).toHaveLength(1);
    const closing = connection.close();
    expect(connection.close()).toBe(closing);
    await closing;
    await ended;
    expect(await connection.closed).toBeUndefined();
    expect(isRunning(pid)).toBe(false);
    expect(await readdir(state.file("ssh-children"))).toEqual([]);
    await vi.waitFor(() => expect(rig.server.connections()).toHaveLength(0));
    expect(rig.server.log.join("\n")).toMatch(/disconnected by user/u);
    await expect(
      connection.connect({ host: "127.0.0.1", port: rig.echo.port }),
    ).rejects.toMatchObject({ code: "CONNECTION_LOST" });
  });

  test("close() ends within a second when ssh stands still", async () => {
    await using rig = await sshTestRig();
    const connection = await openTo(rig);
    const pid = connection.info.pid ?? 0;
    process.kill(pid, "SIGSTOP");
    const startedAt = performance.now();
    await connection.close();
    expect(performance.now() - startedAt).toBeLessThan(1000);
    expect(isRunning(pid)).toBe(false);
  });

  test("close() takes a ProxyCommand with it that ignores SIGTERM and has a child", async () => {
    await using rig = await sshTestRig();
    await using directory = await temporaryDirectory();
    const pids = directory.file("pids");
    const script = directory.file("proxy.sh");
    await writeFile(
      script,
      `trap '' TERM HUP INT\nsleep 600 & echo $! >> ${pids}\necho $$ >> ${pids}\nbash -c 'exec 3<>/dev/tcp/127.0.0.1/${rig.server.port}; cat <&3 & cat >&3; sleep 600'\n`,
    );
    const config = directory.file("config");
    await writeFile(config, `Host *\n  ProxyCommand bash ${script}\n`, { mode: 0o600 });
    const connection = await openTo(rig, { engine: { sshConfig: config } });
    const helpers = (await readFile(pids, "utf8")).trim().split("\n").map(Number);
    expect(helpers).toHaveLength(2);
    expect(helpers.map(isRunning)).toEqual([true, true]);
    const startedAt = performance.now();
    await connection.close();
    expect(performance.now() - startedAt).toBeLessThan(1000);
    expect(helpers.map(isRunning)).toEqual([false, false]);
    expect(isRunning(connection.info.pid)).toBe(false);
  });

  test("a server that asks for signs of life on a session gets them", async () => {
    const config = ["ClientAliveInterval 1", "ClientAliveCountMax 1"];
    await using rig = await sshTestRig({ server: { config } });
    await using connection = await openTo(rig);
    // Two questions unanswered would be the end.
    expect(await connection.run("sleep 4; echo alive")).toMatchObject({ stdout: "alive\n" });
  });

  test("a server that asks for signs of life on a forward gets them", async () => {
    const config = ["ClientAliveInterval 1", "ClientAliveCountMax 1"];
    await using rig = await sshTestRig({ server: { config } });
    await using connection = await openTo(rig);
    const channel = await connection.connect({ host: "127.0.0.1", port: rig.echo.port });
    const outcome = await Promise.race([
      connection.closed,
      once(AbortSignal.timeout(4_000), "abort"),
    ]);
    expect(outcome).toBeInstanceOf(Array);
    channel.end("still here");
    expect(String(await once(channel, "data"))).toBe("still here");
  });

  test("terminate() drops everything at once", async () => {
    await using rig = await sshTestRig();
    const connection = await openTo(rig);
    const channel = await connection.connect({ host: "127.0.0.1", port: rig.echo.port });
    const gone = once(channel, "close");
    connection.terminate();
    await gone;
    expect(channel.destroyed).toBe(true);
    expect(await connection.closed).toBeUndefined();
    expect(isRunning(connection.info.pid)).toBe(false);
  });

  test("a server that dies is told by closed and by every channel", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig);
    const channel = await connection.connect({ host: "127.0.0.1", port: rig.echo.port });
    const failed = once(channel, "error");
    const running = connection.run("sleep 60").catch((error: unknown) => error);
    await rig.server.killConnections();
    expect(await failed).toMatchObject([{ code: "CONNECTION_LOST" }]);
    expect(await running).toMatchObject({ code: "CONNECTION_LOST" });
    expect(await connection.closed).toMatchObject({
      code: "CONNECTION_LOST",
      final: false,
    });
    expect(isRunning(connection.info.pid)).toBe(false);
  });

  test("a server that stands still is noticed within interval times count", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig, {
      options: { keepaliveIntervalMs: 1_500, keepaliveCountMax: 2 },
    });
    rig.server.freeze();
    const startedAt = performance.now();
    expect(await connection.closed).toMatchObject({
      code: "TIMED_OUT",
      details: { stage: "keepalive" },
    });
    // ssh counts in seconds, and looks once a second.
    expect(performance.now() - startedAt).toBeLessThan(3_000 + 1_500);
    rig.server.thaw();
  });

  test("an ssh that stands still is noticed, too", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig, {
      options: { keepaliveIntervalMs: 500, keepaliveCountMax: 2 },
    });
    process.kill(connection.info.pid ?? 0, "SIGSTOP");
    expect(await connection.closed).toMatchObject({
      code: "TIMED_OUT",
      details: { stage: "keepalive" },
      message: expect.stringContaining("ssh itself stands still"),
    });
    expect(isRunning(connection.info.pid)).toBe(false);
  });

  test("a probe that nobody answers ends the connection", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig);
    await connection.probe(5_000);
    rig.server.freeze();
    await expect(connection.probe(300)).rejects.toMatchObject({ code: "TIMED_OUT" });
    expect(await connection.closed).toMatchObject({ code: "TIMED_OUT" });
    rig.server.thaw();
  });

  test("nobody else can use the connection: its socket is gone, with its directory", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig);
    expect(isRunning(connection.info.pid)).toBe(true);
    expect(await leftovers()).toEqual([]);
    const listening = (await controlSockets()).filter((line) => line.includes(" 00010000 "));
    expect(listening).toEqual([]);
  });

  test("an attempt that is given up leaves nothing and rejects with the reason", async () => {
    await using rig = await sshTestRig();
    await using proxy = await createFaultProxy({
      target: { host: rig.server.host, port: rig.server.port },
    });
    await proxy.accept("blackhole");
    await using state = await temporaryDirectory();
    const controller = new AbortController();
    const settings = { ...settingsFor(rig), target: { host: "127.0.0.1", port: proxy.port } };
    const opening = openTo(rig, {
      options: { settings: { ...settings, port: proxy.port }, stateDirectory: state.path },
      signal: controller.signal,
    });
    const pid = await vi.waitFor(async () => {
      const [record = ""] = await readdir(state.file("ssh-children"));
      return Number.parseInt(record, 10);
    });
    const reason = new Error("changed my mind");
    controller.abort(reason);
    await expect(opening).rejects.toBe(reason);
    expect(isRunning(pid)).toBe(false);
    expect(await readdir(state.file("ssh-children"))).toEqual([]);
  });
});

describe.skipIf(!hasSshd)("an owner that is killed with SIGKILL", () => {
  test("takes its ssh along", async () => {
    await using rig = await sshTestRig();
    await using state = await temporaryDirectory();
    await using owner = startOwner(rig, state.path);
    const [, pid] = await owner.line(/^open (\d+)$/u, { deadlineMs: 20_000 });
    expect(isRunning(Number(pid))).toBe(true);
    // Its group only: ssh has one of its own.
    await owner.kill();
    await vi.waitFor(() => expect(isRunning(Number(pid))).toBe(false));
    await reapOrphans(state.path);
    expect(await readdir(state.file("ssh-children"))).toEqual([]);
  });

  test("while it connects leaves an ssh that the next start ends", async () => {
    await using rig = await sshTestRig();
    await using state = await temporaryDirectory();
    rig.server.freeze();
    await using owner = startOwner(rig, state.path);
    const pid = await vi.waitFor(
      async () => {
        const [record = ""] = await readdir(state.file("ssh-children"));
        expect(record).toMatch(/^\d+-\w+\.json$/u);
        return Number.parseInt(record, 10);
      },
      { timeout: 20_000 },
    );
    expect(await reapOrphans(state.path)).toEqual([]);
    expect(isRunning(pid)).toBe(true);
    await owner.kill();
    expect(isRunning(pid)).toBe(true);
    expect(await leftovers()).toHaveLength(1);
    expect(await reapOrphans(state.path)).toMatchObject([{ pid }]);
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false));
    expect(await leftovers()).toEqual([]);
    expect(await readdir(state.file("ssh-children"))).toEqual([]);
    rig.server.thaw();
  });
});
