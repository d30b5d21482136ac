import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { startProcess } from "../process-fixture.ts";
import { temporaryDirectory } from "../temporary-directory.ts";
import { prepareHostKeys } from "./host-keys.ts";
import type { HostKeyOptions } from "./host-keys.ts";
import { requireSshd } from "./ssh-programs.ts";
import { runSshServer } from "./ssh-server-process.ts";
import type { SshServer } from "./ssh-server.ts";

/** Options of {@link startOpenSshServer}. */
export interface OpenSshServerOptions extends HostKeyOptions {
  /** @default a free one */
  port?: number;
  /** Public keys that may log in. @default none */
  authorizedKeys?: readonly string[];
  /**
   * Lines of sshd_config; they replace those of the fixture that have the same keyword. A `SetEnv`
   * has to name a HOME, or sessions have that of the account.
   */
  config?: readonly string[];
  /** Environment of the server. */
  env?: Record<string, string>;
}

/** Where Debian's sshd confines itself when it runs as root; the system creates it at boot. */
const PRIVILEGE_SEPARATION_DIRECTORY = "/run/sshd";

/**
 * Starts OpenSSH's sshd with a configuration of its own; resolves when it listens. Commands begin in
 * the home directory of the account, but their HOME is the empty `home` in the server's directory.
 */
export async function startOpenSshServer(options: OpenSshServerOptions = {}): Promise<SshServer> {
  const sshd = requireSshd();
  const directory = await temporaryDirectory("openclaw-sshd-");
  const authorizedKeys = directory.file("authorized_keys");
  const home = directory.file("home");
  let { config = [] } = options;
  if (process.getuid?.() === 0) {
    await mkdir(PRIVILEGE_SEPARATION_DIRECTORY, { recursive: true, mode: 0o755 });
  }
  await mkdir(home, { mode: 0o700 });
  await writeFile(authorizedKeys, "", { mode: 0o600 });
  for (const key of options.authorizedKeys ?? []) await authorize(key);

  async function authorize(publicKey: string): Promise<void> {
    await appendFile(authorizedKeys, `${publicKey.trim()}\n`);
  }

  return runSshServer({
    directory,
    hostKeys: await prepareHostKeys(directory.path, options),
    port: options.port,
    listening: /Server listening on /u,
    authorize,
    configure: (change) => (config = change.config ?? config),
    async start(port, hostKeys) {
      const path = directory.file("sshd_config");
      const defaults = {
        ...DEFAULTS,
        AuthorizedKeysFile: `"${authorizedKeys}"`,
        // Shells read no start-up file of the account, which may take its time or lock something.
        SetEnv: `"HOME=${home}"`,
      };
      const own = Object.entries(defaults)
        .filter(([keyword]) => !config.some((line) => isAbout(line, keyword)))
        .map(([keyword, value]) => `${keyword} ${value}`);
      const keys = hostKeys.map(({ privateKeyPath }) => `HostKey "${privateKeyPath}"`);
      const address = `ListenAddress 127.0.0.1:${port}`;
      // The given lines come last: behind a Match block nothing would be global any more.
      await writeFile(path, `${[address, ...keys, ...own, ...config].join("\n")}\n`);
      return startProcess(sshd, ["-D", "-e", "-f", path], { env: options.env ?? {} });
    },
  });
}

const DEFAULTS = {
  PidFile: "none",
  StrictModes: "no",
  UsePAM: "no",
  PasswordAuthentication: "no",
  KbdInteractiveAuthentication: "no",
  // Whatever the account that runs the tests has there is none of theirs.
  PermitUserRC: "no",
  PrintMotd: "no",
  PrintLastLog: "no",
  LogLevel: "VERBOSE",
  // The default drops some of more than ten connections that come at once, by chance.
  MaxStartups: "200",
} as const;

function isAbout(line: string, keyword: string): boolean {
  return line.trim().split(/[\s=]/u)[0]?.toLowerCase() === keyword.toLowerCase();
}
