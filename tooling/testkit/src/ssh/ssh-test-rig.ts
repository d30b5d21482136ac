import { mkdir, writeFile } from "node:fs/promises";
import { temporaryDirectory } from "../temporary-directory.ts";
import { startEchoServer } from "./echo-server.ts";
import type { EchoServer } from "./echo-server.ts";
import { startOpenSshServer } from "./openssh-server.ts";
import type { OpenSshServerOptions } from "./openssh-server.ts";
import { generateSshKey } from "./ssh-keys.ts";
import type { SshKeyType } from "./ssh-keys.ts";
import type { SshServer } from "./ssh-server.ts";

/** Options of {@link sshTestRig}. */
export interface SshTestRigOptions<Server extends RigServer = SshServer> {
  /** Of the server that is started by default. */
  server?: OpenSshServerOptions;
  /** Starts another server, which is to let the owner of that key in. @default OpenSSH */
  startServer?: (authorizedKey: string) => Promise<Server>;
  /** Kind of the user's key. @default "ed25519" */
  identityType?: SshKeyType;
}

/** What a rig needs of a server. */
export type RigServer = Pick<SshServer, "host" | "port" | "user" | "knownHostsLine"> &
  AsyncDisposable;

/** A user, a server that lets the user in, and something to reach behind it. */
export interface SshTestRig<Server extends RigServer = SshServer> extends AsyncDisposable {
  /** The user's home directory, which has a `.ssh` (0700). */
  readonly home: string;
  /** Path of the private key that may log in. */
  readonly identity: string;
  /** Its public half. */
  readonly publicKey: string;
  /** Path of the file that holds the server's keys. */
  readonly knownHosts: string;
  readonly server: Server;
  readonly echo: EchoServer;
  /** HOME and PATH, and no agent. */
  readonly env: Readonly<Record<string, string>>;
  /** `user@127.0.0.1:port` */
  readonly target: string;
  /**
   * What the ssh program needs to get there, the destination last. It looks for its files in the
   * home directory of the account and not in HOME, so they are named one by one.
   */
  readonly sshArgs: readonly string[];
  stop(): Promise<void>;
}

/** Sets up what nearly every test of a tunnel needs. */
export async function sshTestRig<Server extends RigServer = SshServer>(
  options: SshTestRigOptions<Server> = {},
): Promise<SshTestRig<Server>> {
  const cleanup: AsyncDisposable[] = [];
  try {
    const directory = kept(await temporaryDirectory("openclaw-home-"));
    const type = options.identityType ?? "ed25519";
    const dotSsh = directory.file(".ssh");
    await mkdir(dotSsh, { mode: 0o700 });
    const key = await generateSshKey({ type, directory: dotSsh, name: `id_${type}` });
    const server = kept(await startServer(key.publicKey));
    const echo = kept(await startEchoServer());
    const knownHosts = directory.file(".ssh", "known_hosts");
    await writeFile(knownHosts, `${server.knownHostsLine}\n`, { mode: 0o600 });
    const settings = [
      `UserKnownHostsFile=${knownHosts}`,
      "GlobalKnownHostsFile=/dev/null",
      "IdentitiesOnly=yes",
      "IdentityAgent=none",
      "BatchMode=yes",
    ].flatMap((setting) => ["-o", setting]);
    const destination = `${server.user}@${server.host}`;
    return {
      home: directory.path,
      identity: key.privateKeyPath,
      publicKey: key.publicKey,
      knownHosts,
      server,
      echo,
      env: { HOME: directory.path, PATH: process.env["PATH"] ?? "" },
      target: `${destination}:${server.port}`,
      sshArgs: [
        ...["-F", "none", "-i", key.privateKeyPath],
        ...settings,
        ...["-p", String(server.port), destination],
      ],
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }

  function kept<T extends AsyncDisposable>(part: T): T {
    cleanup.push(part);
    return part;
  }

  async function startServer(authorizedKey: string): Promise<Server> {
    if (options.startServer) return options.startServer(authorizedKey);
    const { authorizedKeys = [], ...rest } = options.server ?? {};
    const server = await startOpenSshServer({
      ...rest,
      authorizedKeys: [authorizedKey, ...authorizedKeys],
    });
    // Without `startServer` nothing makes `Server` another type than its default.
    return server as SshServer & Server;
  }

  async function stop(): Promise<void> {
    for (let part = cleanup.pop(); part; part = cleanup.pop()) await part[Symbol.asyncDispose]();
  }
}
