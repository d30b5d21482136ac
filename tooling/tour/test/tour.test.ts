import { readdir } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProcess, temporaryDirectory, type TestProcess } from "@openclaw/testkit";
import { expect, onTestFinished, test } from "vitest";

// Wants a build, which `npm test` makes: the tour runs the program that users get.

const root = fileURLToPath(new URL("../../..", import.meta.url));
const main = join(root, "tooling/tour/src/main.ts");
const READY_MS = 60_000;
const posix = { skip: process.platform === "win32" };

test("runs once, leaves no process behind, and writes nothing into the home directory", async () => {
  const { tour, home } = await startTour(["--once", "--port", "0"]);

  expect(await tour.exited).toEqual({ code: 0, signal: null });
  expect(tour.stdout).toMatch(/The node "tour" is paired and connected/);
  expect(tour.stdout).toMatch(/It answered .*\n +\S+/);
  expect(tour.stderr).toBe("");
  expect(hasGroup(tour)).toBe(false);
  expect(await readdir(home)).toEqual([]);
});

test("takes a free port when the one it wants is taken, and says so", async () => {
  const port = await takePort();
  const { tour } = await startTour(["--once", "--port", String(port)]);

  expect(await tour.exited).toEqual({ code: 0, signal: null });
  expect(tour.stdout).toContain(`Port ${port} is taken`);
  expect(tour.stdout).toMatch(/The Gateway listens on ws:\/\/127\.0\.0\.1:\d+/);
  expect(tour.stdout).not.toContain(`listens on ws://127.0.0.1:${port} `);
});

test("runs twice at the same time", async () => {
  const port = await freePort();
  const both = [
    await startTour(["--port", String(port)]),
    await startTour(["--port", String(port)]),
  ].map(({ tour }) => tour);

  const ports = await Promise.all(both.map(gatewayPort));
  expect(new Set(ports).size).toBe(2);
  expect(ports).toContain(port);
  await Promise.all(both.map((tour) => tour.line("press Ctrl-C", { deadlineMs: READY_MS })));
  for (const tour of both) interruptGroup(tour);
  for (const tour of both) expect(await tour.exited).toEqual({ code: 0, signal: null });
});

test(
  "what it says to try next works, and Ctrl-C then leaves no process behind",
  posix,
  async () => {
    const { tour, home } = await startTour(["--port", "0"]);
    await tour.line("README.md says", { deadlineMs: READY_MS });

    const lines = tour.stdout.split("\n");
    const commands = lines.filter((line) => /^ {2}(?:\. |openclaw )/.test(line));
    expect(commands.length).toBeGreaterThanOrEqual(5);
    const shell = startProcess("/bin/sh", ["-e"], {
      cwd: root,
      // As in a terminal that is set up for another Gateway.
      env: {
        HOME: home,
        OPENCLAW_GATEWAY_URL: "ws://127.0.0.1:9",
        OPENCLAW_GATEWAY_TOKEN: "other",
      },
      input: `${commands.join("\n")}\n`,
    });
    onTestFinished(() => shell[Symbol.asyncDispose]());
    expect(await shell.exited).toEqual({ code: 0, signal: null });
    expect(shell.stdout).toContain("hello from ");
    expect(shell.stdout).toContain("✅ Gateway is healthy");

    interruptGroup(tour);
    expect(await tour.exited).toEqual({ code: 0, signal: null });
    expect(hasGroup(tour)).toBe(false);
  },
);

test("ends its processes when only it is told to end", posix, async () => {
  const { tour } = await startTour(["--port", "0"]);
  await tour.line("press Ctrl-C", { deadlineMs: READY_MS });

  tour.signal("SIGTERM");

  expect(await tour.exited).toEqual({ code: 0, signal: null });
  expect(hasGroup(tour)).toBe(false);
});

test("a Ctrl-C in the middle of the tour ends it with 130", posix, async () => {
  const { tour } = await startTour(["--port", "0"]);
  await tour.line("Starting a node", { deadlineMs: READY_MS });

  interruptGroup(tour);

  expect(await tour.exited).toEqual({ code: 130, signal: null });
  expect(hasGroup(tour)).toBe(false);
});

test("a process that hangs is ended by force", posix, async () => {
  const { tour } = await startTour(["--port", "0"]);
  await tour.line("press Ctrl-C", { deadlineMs: READY_MS });
  const gateway = Number(/listens on \S+ \(process (\d+)\)/.exec(tour.stdout)?.[1]);
  process.kill(gateway, "SIGSTOP");

  interruptGroup(tour);

  expect(await tour.exited).toEqual({ code: 0, signal: null });
  expect(hasGroup(tour)).toBe(false);
});

test("says what the Gateway's last words were when it dies", posix, async () => {
  const { tour } = await startTour(["--port", "0"]);
  await tour.line("press Ctrl-C", { deadlineMs: READY_MS });
  const gateway = Number(/listens on \S+ \(process (\d+)\)/.exec(tour.stdout)?.[1]);

  process.kill(gateway, "SIGKILL");

  expect(await tour.exited).toEqual({ code: 1, signal: null });
  expect(tour.stderr).toMatch(/The Gateway ended with signal SIGKILL\.\nIts last lines:\n {2}\S/);
  expect(hasGroup(tour)).toBe(false);
});

async function startTour(args: readonly string[]): Promise<{ tour: TestProcess; home: string }> {
  const home = await temporaryDirectory("openclaw-tour-");
  const tour = startProcess(process.execPath, [main, ...args], {
    cwd: root,
    env: { HOME: home.path },
  });
  onTestFinished(async () => {
    await tour[Symbol.asyncDispose]();
    await home[Symbol.asyncDispose]();
  });
  return { tour, home: home.path };
}

async function gatewayPort(tour: TestProcess): Promise<number> {
  const [, port] = await tour.line(/listens on ws:\/\/127\.0\.0\.1:(\d+)/, {
    deadlineMs: READY_MS,
  });
  return Number(port);
}

/** As the terminal does it: the whole foreground group hears of a Ctrl-C. */
function interruptGroup(tour: TestProcess): void {
  process.kill(-tour.pid, "SIGINT");
}

function hasGroup(tour: TestProcess): boolean {
  try {
    process.kill(-tour.pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Listens on a port for as long as the test runs. */
async function takePort(): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  // A TCP server's address is not a string.
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
