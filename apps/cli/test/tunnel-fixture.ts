import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { StopSignal } from "@openclaw/app-kit";
import { createMemoryIo } from "@openclaw/app-kit/testing";
import { hasSshd, sshTestRig, type SshTestRig, type SshTestRigOptions } from "@openclaw/testkit";
import { vi } from "vitest";
import { run } from "../src/run.ts";
import { type CliFixture, type CliOptions, type CliResult, createCli } from "./cli-fixture.ts";

export const isSshdThere = hasSshd;
if (!isSshdThere)
  process.stderr.write("skipped: sshd is missing; apt-get install openssh-server\n");

/** A `tunnel open` that runs in this process. */
export interface OpenTunnel extends AsyncDisposable {
  readonly out: { readonly stdout: string; readonly stderr: string };
  /** The local port of its first forward, as soon as that listens. */
  port(): Promise<number>;
  /** Waits until stderr has a line like this. */
  said(pattern: RegExp | string): Promise<void>;
  /** Presses Ctrl-C, or ends it like a supervisor; returns the exit code. */
  stop(name?: StopSignal): Promise<number>;
  readonly exitCode: Promise<number>;
}

/** An SSH server, and the command line of a user who may log in there. */
export interface TunnelHost extends AsyncDisposable {
  readonly rig: SshTestRig;
  readonly cli: CliFixture;
  /** Target and files, without any of the account that runs the tests. */
  readonly flags: readonly string[];
  run(args: readonly string[], options?: CliOptions): Promise<CliResult>;
  /** `tunnel open` with the flags. */
  open(args?: readonly string[]): OpenTunnel;
  /** `tunnel open` with these words alone. */
  openAs(words: readonly string[], env?: Record<string, string>): OpenTunnel;
  /** Path of a tunnel's record. */
  record(name: string): string;
}

export async function createTunnelHost(options: SshTestRigOptions = {}): Promise<TunnelHost> {
  const rig = await sshTestRig(options);
  const cli = await createCli();
  const files = ["--identity", rig.identity, "--known-hosts", rig.knownHosts];
  const flags = [rig.target, ...files, "--ssh-config", "none"];
  const running = new Set<OpenTunnel>();

  function openAs(words: readonly string[], env: Record<string, string> = {}): OpenTunnel {
    const tunnel = startOpen(cli.home.path, words, env);
    running.add(tunnel);
    return tunnel;
  }

  return {
    rig,
    cli,
    flags,
    run: (args, given) => cli.run(args, given),
    open: (args = []) => openAs([...flags, ...args]),
    openAs,
    record: (name) => cli.home.file(".openclaw", "tunnels", `${name}.json`),
    async [Symbol.asyncDispose]() {
      await Promise.all([...running].map((tunnel) => tunnel[Symbol.asyncDispose]()));
      await cli[Symbol.asyncDispose]();
      await rig.stop();
    },
  };
}

function startOpen(home: string, args: readonly string[], env: Record<string, string>): OpenTunnel {
  const { io, out, signal } = createMemoryIo({
    home,
    env: { PATH: process.env["PATH"], ...env },
  });
  const exitCode = run(["tunnel", "open", ...args], { ...io, programName: "openclaw" });
  let isOver = false;
  void exitCode.then(() => (isOver = true));

  async function stop(name: StopSignal = "SIGINT"): Promise<number> {
    if (!isOver) signal(name);
    return exitCode;
  }

  return {
    out,
    exitCode,
    stop,
    async port() {
      const found = await vi.waitFor(() => {
        const [, port] = /:(\d+) -> /u.exec(out.stdout) ?? /"port": (\d+)/u.exec(out.stdout) ?? [];
        if (port === undefined) throw new Error(`no forward yet:\n${out.stdout}${out.stderr}`);
        return port;
      });
      return Number(found);
    },
    async said(pattern) {
      await vi.waitFor(() => {
        if (out.stderr.search(pattern) === -1) throw new Error(`not said:\n${out.stderr}`);
      });
    },
    async [Symbol.asyncDispose]() {
      await stop("SIGTERM");
    },
  };
}

/** What comes back from an echo through a local port. */
export async function echoThrough(port: number, sent: string): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  socket.end(sent);
  return text(socket);
}
