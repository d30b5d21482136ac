import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import {
  createFaultProxy,
  type FaultProxy,
  type SshTestRig,
  temporaryDirectory,
  withDeadline,
} from "@openclaw/testkit";
import type { TunnelProcessInput } from "../processes/tunnel-main.ts";

/** A tunnel in a process of its own, behind a proxy that can fail. */
export interface TunnelUnderTest extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  readonly proxy: FaultProxy;
  readonly states: readonly TunnelStateLine[];
  /** Where the engine keeps what outlives the process. */
  readonly stateDirectory: string;
  /** Closes it and waits until the process has ended by itself. */
  close(): Promise<{ closedAfterMs: number; exitedAfterMs: number }>;
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>;
}

export interface TunnelStateLine {
  readonly kind?: string;
  readonly generation?: number;
  readonly cause?: string;
  readonly pid?: number;
}

export interface StartTunnelOptions {
  readonly engine: "ssh2" | "system";
  readonly keepaliveIntervalMs: number;
  readonly keepaliveCountMax: number;
  /** A directory that an earlier tunnel had. @default a new one */
  readonly stateDirectory?: string;
}

/** Starts a tunnel to the echo server of a rig, in a process of its own. */
export async function startTunnel(
  rig: SshTestRig,
  options: StartTunnelOptions,
): Promise<TunnelUnderTest> {
  const directory = await temporaryDirectory("openclaw-tunnel-");
  const { stateDirectory = directory.file("state"), ...rest } = options;
  const proxy = await createFaultProxy({ target: rig.server });
  const knownHosts = directory.file("known_hosts");
  const known = await readFile(rig.knownHosts, "utf8");
  await writeFile(knownHosts, known.replaceAll(`:${rig.server.port} `, `:${proxy.port} `));
  const input: TunnelProcessInput = {
    target: `${rig.server.user}@127.0.0.1:${proxy.port}`,
    options: {
      ...rest,
      stateDirectory,
      identity: rig.identity,
      knownHosts,
      sshConfig: false,
      forwards: [{ remotePort: rig.echo.port }],
    },
  };
  const child = spawn(
    process.execPath,
    [
      "--conditions=@openclaw/source",
      fileURLToPath(new URL("../processes/tunnel-main.ts", import.meta.url)),
      JSON.stringify(input),
    ],
    { stdio: ["pipe", "pipe", "inherit"], env: { ...rig.env } },
  );
  const states: TunnelStateLine[] = [];
  const listening = Promise.withResolvers<number>();
  const closed = Promise.withResolvers<number>();
  const exited = once(child, "exit");
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line = JSON.parse(text) as TunnelStateLine & { port?: number; closedAfterMs?: number };
    if (line.port !== undefined) listening.resolve(line.port);
    else if (line.closedAfterMs !== undefined) closed.resolve(line.closedAfterMs);
    else states.push(line);
  });
  const port = await withDeadline(listening.promise, 20_000, () => "the tunnel did not open");
  const { pid } = child;
  if (pid === undefined) throw new Error("the tunnel was not started");
  return {
    pid,
    port,
    proxy,
    states,
    stateDirectory,
    async close() {
      child.stdin.end();
      const startedAt = performance.now();
      const closedAfterMs = await withDeadline(
        closed.promise,
        10_000,
        () => "the tunnel did not close",
      );
      await withDeadline(exited, 10_000, () => "its process did not end");
      return { closedAfterMs, exitedAfterMs: performance.now() - startedAt };
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
      await proxy.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Processes whose arguments name `text`, besides this one. */
export function processesNaming(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Sockets that a process has open. */
export function socketsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}
