import { userInfo } from "node:os";
import type { TestProcess } from "../process-fixture.ts";
import type { TemporaryDirectory } from "../temporary-directory.ts";
import { followProcessTree } from "./process-tree.ts";
import type { ProcessTree } from "./process-tree.ts";
import { serverPort } from "./server-port.ts";
import type { SshKey } from "./ssh-keys.ts";
import { knownHostsLines } from "./ssh-server.ts";
import type { SshServer, SshServerRestartOptions } from "./ssh-server.ts";

/** What the two server programs do differently. */
export interface SshServerProgram {
  directory: TemporaryDirectory;
  hostKeys: readonly SshKey[];
  /** @default a free one */
  port: number | undefined;
  /** Starts the program; must not wait for it. */
  start(port: number, hostKeys: readonly SshKey[]): Promise<TestProcess>;
  /** What it writes when it listens. */
  listening: RegExp;
  authorize(publicKey: string): Promise<void>;
  /** Takes over what a restart changes. */
  configure?(options: SshServerRestartOptions): void;
}

/** How often another free port is tried. */
const MAX_PORTS = 10;
/** A server makes keys and is started while other tests do the same. */
const START_DEADLINE_MS = 20_000;
const BUSY = /address already in use/iu;

/** Runs a server program as a fixture; resolves when it listens. */
export async function runSshServer(program: SshServerProgram): Promise<SshServer> {
  const { directory } = program;
  const past: string[] = [];
  let { hostKeys } = program;
  let child: TestProcess;
  let tree: ProcessTree;
  let port = 0;

  async function listen(candidate: number): Promise<void> {
    child = await program.start(candidate, hostKeys);
    try {
      await child.line(program.listening, { deadlineMs: START_DEADLINE_MS });
      tree = followProcessTree(child.pid, candidate);
      port = candidate;
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Neither program can be told to take any free port, and a port that was free may be taken. */
  async function listenAnywhere(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await listen(await serverPort());
      } catch (error) {
        if (attempt === MAX_PORTS || !BUSY.test(String(error))) throw error;
      }
    }
  }

  async function stop(): Promise<void> {
    await tree.kill();
    await child.kill();
  }

  try {
    await (program.port === undefined ? listenAnywhere() : listen(program.port));
  } catch (error) {
    await directory[Symbol.asyncDispose]();
    throw error;
  }

  return {
    host: "127.0.0.1",
    get port() {
      return port;
    },
    user: userInfo().username,
    get hostKeys() {
      return hostKeys;
    },
    get knownHostsLine() {
      return knownHostsLines(port, hostKeys);
    },
    directory: directory.path,
    get process() {
      return child;
    },
    get log() {
      return [...past, ...child.lines.map(({ text }) => text)];
    },
    authorize: (publicKey) => program.authorize(publicKey),
    connections: () => tree.sessions(),
    killConnections: () => tree.killSessions(),
    freeze: () => tree.signal("SIGSTOP"),
    thaw: () => tree.signal("SIGCONT"),
    stop,
    async restart(options = {}) {
      await stop();
      past.push(...child.lines.map(({ text }) => text));
      hostKeys = options.hostKeys ?? hostKeys;
      program.configure?.(options);
      await listen(port);
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await directory[Symbol.asyncDispose]();
    },
  };
}
