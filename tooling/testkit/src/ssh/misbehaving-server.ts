import { once } from "node:events";
import { appendFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { userInfo } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createInbox } from "../inbox.ts";
import type { NextOptions } from "../inbox.ts";
import { startProcess } from "../process-fixture.ts";
import type { TestProcess } from "../process-fixture.ts";
import { temporaryDirectory } from "../temporary-directory.ts";
import { prepareHostKeys } from "./host-keys.ts";
import type { HostKeyOptions } from "./host-keys.ts";
import { generateSshKey } from "./ssh-keys.ts";
import type { SshKey } from "./ssh-keys.ts";
import { requirePython } from "./ssh-programs.ts";
import { knownHostsLines } from "./ssh-server.ts";

/**
 * What a server does wrong.
 *
 * - `normal`: nothing.
 * - `stall-before-banner`: takes the connection and sends nothing.
 * - `stall-after-banner`: says that it speaks SSH, and nothing more.
 * - `stall-authentication`: exchanges keys, and never answers who may come in.
 * - `refuse-forward`: forwards are administratively prohibited.
 * - `connect-failed`: nothing listens wherever a forward leads.
 * - `change-host-key`: has another host key for each connection.
 * - `drop-mid-kex`: hangs up in the middle of the key exchange.
 * - `drop-after-auth`: lets the client in, and hangs up.
 * - `no-session`: forwards, and opens no session.
 * - `ignore-keepalive`: answers no global request; channels work.
 * - `stall-channel`: opens channels, and then neither reads from them nor writes to them.
 * - `password-only`, `keyboard-interactive`: accepts no key, but a password or answers.
 */
export type SshMisbehaviour =
  | "normal"
  | "stall-before-banner"
  | "stall-after-banner"
  | "stall-authentication"
  | "refuse-forward"
  | "connect-failed"
  | "change-host-key"
  | "drop-mid-kex"
  | "drop-after-auth"
  | "no-session"
  | "ignore-keepalive"
  | "stall-channel"
  | "password-only"
  | "keyboard-interactive";

/** What the server tells about itself; `connection` counts from 1. */
export type SshServerEvent =
  | { event: "connection"; connection: number }
  | {
      event: "auth";
      connection: number;
      user: string;
      /** `refused` is a wrong password or answer. */
      outcome: "begun" | "refused" | "completed";
    }
  | {
      event: "channel";
      connection: number;
      kind: "session" | "direct-tcpip" | "direct-streamlocal";
      /** `host:port` or a path; empty for a session. */
      destination: string;
    }
  /** One that it answers, if an answer is wanted: keepalives are among them. */
  | { event: "global-request"; connection: number }
  | { event: "closed"; connection: number };

/** A question of `keyboard-interactive`, and the answer that is right. */
export interface SshPrompt {
  text: string;
  echo: boolean;
  answer: string;
}

/** Options of {@link startMisbehavingSshServer}. */
export interface MisbehavingSshServerOptions extends HostKeyOptions {
  /** @default a free one */
  port?: number;
  /** Public keys that may log in. @default none */
  authorizedKeys?: readonly string[];
  /** What `password-only` accepts. @default "correct horse" */
  password?: string;
  /** What `keyboard-interactive` asks. @default one for the password and one for a code */
  prompts?: readonly SshPrompt[];
}

/** An SSH server on 127.0.0.1 that fails on demand. It lets any user name in. */
export interface MisbehavingSshServer extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly prompts: readonly SshPrompt[];
  /** The keys it has now; those of `change-host-key` are not among them. */
  readonly hostKeys: readonly SshKey[];
  /** `[127.0.0.1]:port type key`, one line a host key, without a line break at the end. */
  readonly knownHostsLine: string;
  readonly directory: string;
  readonly process: TestProcess;
  /** Everything it told so far. */
  readonly events: readonly SshServerEvent[];
  /** Takes the next event of that name: one that was not taken yet, or the next to come. */
  event<Name extends SshServerEvent["event"]>(
    name: Name,
    options?: NextOptions,
  ): Promise<Extract<SshServerEvent, { event: Name }>>;
  /**
   * What it does from now on, to open connections too; or, with `connections`, only to that many
   * which come next.
   */
  behave(behaviour: SshMisbehaviour, options?: { connections?: number }): Promise<void>;
  /** New host keys of the same kinds, from the next connection on. */
  changeHostKeys(): Promise<readonly SshKey[]>;
  /** Resets every open connection. */
  dropConnections(): Promise<void>;
  authorize(publicKey: string): Promise<void>;
  /** SIGKILL; the port is free then. */
  stop(): Promise<void>;
}

/** Python starts slowly when everybody else does too. */
const START_DEADLINE_MS = 20_000;
const SCRIPT = fileURLToPath(new URL("./misbehaving_server.py", import.meta.url));

/** Starts a server over asyncssh; resolves when it listens. */
export async function startMisbehavingSshServer(
  behaviour: SshMisbehaviour = "normal",
  options: MisbehavingSshServerOptions = {},
): Promise<MisbehavingSshServer> {
  const python = requirePython();
  const directory = await temporaryDirectory("openclaw-asyncssh-");
  const { password = "correct horse" } = options;
  const prompts = options.prompts ?? [
    { text: "Password: ", echo: false, answer: password },
    { text: "Code: ", echo: true, answer: "123456" },
  ];
  const authorizedKeys = directory.file("authorized_keys");
  const controlSocket = directory.file("control.sock");
  const events = createInbox<SshServerEvent>((event) => JSON.stringify(event));
  let hostKeys: readonly SshKey[] = await prepareHostKeys(directory.path, options);

  await writeFile(authorizedKeys, "", { mode: 0o600 });
  for (const key of options.authorizedKeys ?? []) await authorize(key);
  const settings = {
    ...{ behaviour, password, prompts, authorizedKeys, controlSocket, home: directory.path },
    hostKeys: hostKeys.map(({ privateKeyPath }) => privateKeyPath),
    port: options.port ?? 0,
  };
  const settingsPath = directory.file("settings.json");
  await writeFile(settingsPath, JSON.stringify(settings), { mode: 0o600 });

  // Without compiled files beside the source, and without the library's worry about old ciphers.
  const child = startProcess(python, ["-B", "-W", "ignore", SCRIPT, settingsPath]);
  let port: number;
  try {
    const listening = /"event": "listening", "port": (\d+)/u;
    port = Number((await child.line(listening, { deadlineMs: START_DEADLINE_MS }))[1]);
  } catch (error) {
    await end();
    throw error;
  }
  void collectEvents();

  async function collectEvents(): Promise<void> {
    for (let index = 0; ; index += 1) {
      try {
        // No deadline: a server may be left alone for ever, and its end ends the loop.
        await child.line(/^/u, { after: index, deadlineMs: 2 ** 31 - 1 });
      } catch {
        events.end(new Error(`the server has ended:\n${child.stderr}`));
        return;
      }
      const line = child.lines[index];
      if (line?.stream !== "stdout") continue;
      // Written by our own script, which has the same members.
      const event = JSON.parse(line.text) as SshServerEvent | { event: "listening" };
      if (event.event !== "listening") events.push(event);
    }
  }

  async function authorize(publicKey: string): Promise<void> {
    await appendFile(authorizedKeys, `${publicKey.trim()}\n`);
  }

  async function end(): Promise<void> {
    await child[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  }

  return {
    host: "127.0.0.1",
    port,
    user: userInfo().username,
    password,
    prompts,
    get hostKeys() {
      return hostKeys;
    },
    get knownHostsLine() {
      return knownHostsLines(port, hostKeys);
    },
    directory: directory.path,
    process: child,
    events: events.received,
    async event<Name extends SshServerEvent["event"]>(name: Name, next: NextOptions = {}) {
      const event = await events.next((candidate) => candidate.event === name, {
        what: `the event ${name}`,
        ...next,
      });
      // The inbox gave what was asked for by name.
      return event as Extract<SshServerEvent, { event: Name }>;
    },
    behave: (next, { connections } = {}) =>
      command(controlSocket, { command: "behave", behaviour: next, connections }),
    async changeHostKeys() {
      hostKeys = await Promise.all(
        hostKeys.map(({ type }) => generateSshKey({ type, directory: directory.path })),
      );
      const paths = hostKeys.map(({ privateKeyPath }) => privateKeyPath);
      await command(controlSocket, { command: "host-keys", hostKeys: paths });
      return hostKeys;
    },
    dropConnections: () => command(controlSocket, { command: "drop" }),
    authorize,
    async stop() {
      await child.kill();
    },
    [Symbol.asyncDispose]: end,
  };
}

/** Gives one command and waits until it has taken effect. */
async function command(socketPath: string, words: Record<string, unknown>): Promise<void> {
  const socket = connect(socketPath);
  try {
    socket.write(`${JSON.stringify(words)}\n`);
    const [line] = await once(createInterface({ input: socket }), "line");
    const answer: { ok?: boolean; message?: string } = JSON.parse(String(line));
    if (answer.ok !== true) throw new Error(`the server refused the command: ${answer.message}`);
  } finally {
    socket.destroy();
  }
}
