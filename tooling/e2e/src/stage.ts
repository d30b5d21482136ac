import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRawPeer, startProcess, temporaryDirectory } from "@openclaw/testkit";
import type { RawPeer, TestProcess } from "@openclaw/testkit";

/** Where the processes of a test live, and how they are started. */
export interface Stage extends AsyncDisposable {
  readonly directory: string;
  readonly token: string;
  /** Lines that the side effects of `e2e.count` left. */
  readonly effectsPath: string;
  /** Starts a Gateway on the state of the former one; resolves when it listens. */
  startGateway(): Promise<{ process: TestProcess; port: number; url: string }>;
  /** Starts the node; resolves when it is connected for the first time. */
  startNode(url: string): Promise<{ process: TestProcess; nodeId: string }>;
  /** Starts a helper of this package. */
  start(file: string, env: Record<string, string>): TestProcess;
  /** A fresh operator connection with all rights. */
  operator(url: string): Promise<RawPeer>;
}

/** Options of {@link createStage}. */
export interface StageOptions {
  /** Heartbeat of the Gateway and of every client. @default 5_000 */
  keepaliveMs?: number;
}

/** Time a process run from source has to come up on a busy machine. */
const START_DEADLINE_MS = 30_000;

/** Prepares a directory for the processes of one test; disposing of it kills them all. */
export async function createStage({ keepaliveMs = 5_000 }: StageOptions = {}): Promise<Stage> {
  const directory = await temporaryDirectory("openclaw-e2e-");
  const processes = new Set<TestProcess>();
  const token = "e2e-token";
  const shared = {
    HOME: directory.path,
    E2E_TOKEN: token,
    E2E_KEEPALIVE_MS: String(keepaliveMs),
    E2E_EFFECTS: directory.file("effects.txt"),
  };

  const stage: Stage = {
    directory: directory.path,
    token,
    effectsPath: shared.E2E_EFFECTS,
    start(file, env) {
      const path = fileURLToPath(new URL(`./processes/${file}`, import.meta.url));
      const child = startProcess(process.execPath, ["--conditions=@openclaw/source", path], {
        env: { ...shared, ...env },
        cwd: directory.path,
      });
      processes.add(child);
      return child;
    },
    async startGateway() {
      const child = stage.start("gateway-main.ts", {
        E2E_DIRECTORY: join(directory.path, "gateway"),
      });
      const match = await child.line(/listening on 127\.0\.0\.1:(\d+)/, {
        deadlineMs: START_DEADLINE_MS,
      });
      const port = Number(match[1]);
      return { process: child, port, url: `ws://127.0.0.1:${port}/` };
    },
    async startNode(url) {
      const child = stage.start("node-main.ts", {
        E2E_DIRECTORY: join(directory.path, "node"),
        E2E_URL: url,
      });
      const match = await child.line(/^node (\w+)/, { deadlineMs: START_DEADLINE_MS });
      return { process: child, nodeId: match[1] ?? "" };
    },
    async operator(url) {
      const peer = await createRawPeer(url);
      await peer.handshake({ token });
      return peer;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...processes].map((child) => child[Symbol.asyncDispose]()));
      await directory[Symbol.asyncDispose]();
    },
  };
  return stage;
}
