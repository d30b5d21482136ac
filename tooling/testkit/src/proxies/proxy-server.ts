import { connect } from "node:net";
import { afterRealMs } from "../deadline.ts";
import { type TestProcess, startProcess } from "../process-fixture.ts";
import { serverPort } from "../ssh/server-port.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../temporary-directory.ts";

/** A reverse proxy of its own, in front of something else. */
export interface ProxyServer extends AsyncDisposable {
  /** The port of loopback that its configuration was given. */
  readonly port: number;
  readonly process: TestProcess;
}

/** What the programs do differently. */
export interface ProxyProgram {
  command: string;
  /** Writes what the program reads, and returns its arguments. */
  prepare(directory: TemporaryDirectory, port: number): Promise<readonly string[]>;
}

/** How often another free port is tried. */
const MAX_PORTS = 5;
/** A program starts while other tests do the same. */
const START_DEADLINE_MS = 20_000;

/** Runs a proxy as a fixture; resolves when it accepts connections. */
export async function runProxy(program: ProxyProgram): Promise<ProxyServer> {
  const directory = await temporaryDirectory("openclaw-proxy-");
  try {
    for (let attempt = 1; ; attempt += 1) {
      // oxlint-disable-next-line no-await-in-loop
      const port = await serverPort();
      // oxlint-disable-next-line no-await-in-loop
      const child = startProcess(program.command, await program.prepare(directory, port), {
        cwd: directory.path,
        env: { HOME: directory.path },
      });
      try {
        // oxlint-disable-next-line no-await-in-loop
        await listening(port, child);
        return {
          port,
          process: child,
          async [Symbol.asyncDispose]() {
            await child.kill();
            await directory[Symbol.asyncDispose]();
          },
        };
      } catch (error) {
        // oxlint-disable-next-line no-await-in-loop
        await child.kill();
        // A port that was free may be taken by now.
        if (attempt === MAX_PORTS || !/in use|cannot bind/i.test(String(error))) throw error;
      }
    }
  } catch (error) {
    await directory[Symbol.asyncDispose]();
    throw error;
  }
}

/** Neither program says when it listens, so it is asked until it answers. */
async function listening(port: number, child: TestProcess): Promise<void> {
  let isLate = false;
  const patience = afterRealMs(START_DEADLINE_MS, () => (isLate = true));
  try {
    while (child.isRunning && !isLate) {
      // oxlint-disable-next-line no-await-in-loop
      if (await accepts(port)) return;
    }
  } finally {
    patience.cancel();
  }
  throw new Error(`the proxy does not listen on ${port}:\n${child.stdout}${child.stderr}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => setTimeout(() => resolve(false), 10));
  });
}
