import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { startProcess } from "../process-fixture.ts";
import { temporaryDirectory } from "../temporary-directory.ts";
import { prepareHostKeys } from "./host-keys.ts";
import type { HostKeyOptions } from "./host-keys.ts";
import { requireDropbear, runProgram } from "./ssh-programs.ts";
import { runSshServer } from "./ssh-server-process.ts";
import type { SshServer } from "./ssh-server.ts";

/** Options of {@link startDropbearServer}. */
export interface DropbearServerOptions extends HostKeyOptions {
  /** @default a free one */
  port?: number;
  /** Public keys that may log in. @default none */
  authorizedKeys?: readonly string[];
  /** Further options of the program, e.g. `-j`: no local forwards. A restart calls them `config`. */
  args?: readonly string[];
}

/**
 * Dropbear looks for authorized_keys in the home directory that passwd names, and has no option to
 * change that. In a mount namespace of its own it sees a copy of passwd in which the home directory
 * is a temporary one; nothing outside of that namespace changes, and it ends with the process.
 */
const WITH_OTHER_PASSWD = 'mount --bind "$1" /etc/passwd && shift && exec "$@"';

/** Starts Dropbear's server; resolves when it listens. It has to be started by root. */
export async function startDropbearServer(options: DropbearServerOptions = {}): Promise<SshServer> {
  const dropbear = requireDropbear();
  const directory = await temporaryDirectory("openclaw-dropbear-");
  const home = directory.file("home");
  const passwd = directory.file("passwd");
  const authorizedKeys = directory.file("home", ".ssh", "authorized_keys");
  let { args = [] } = options;
  await mkdir(directory.file("home", ".ssh"), { recursive: true, mode: 0o700 });
  await writeFile(passwd, withHome(await readFile("/etc/passwd", "utf8"), home), { mode: 0o644 });
  await writeFile(authorizedKeys, "", { mode: 0o600 });
  for (const key of options.authorizedKeys ?? []) await authorize(key);

  async function authorize(publicKey: string): Promise<void> {
    await appendFile(authorizedKeys, `${publicKey.trim()}\n`);
  }

  return runSshServer({
    directory,
    hostKeys: await prepareHostKeys(directory.path, options),
    port: options.port,
    listening: /Not backgrounding/u,
    authorize,
    configure: (change) => (args = change.config ?? args),
    async start(port, hostKeys) {
      const keys: string[] = [];
      for (const [index, { privateKeyPath }] of hostKeys.entries()) {
        const converted = directory.file(`host_key_${index}`);
        await runProgram("dropbearconvert", ["openssh", "dropbear", privateKeyPath, converted]);
        keys.push("-r", converted);
      }
      const foreground = ["-F", "-E", "-s", "-P", directory.file("dropbear.pid")];
      const address = ["-p", `127.0.0.1:${port}`];
      // Each of these becomes the next one, so that the process that was started is the server.
      return startProcess("unshare", [
        ...["--mount", "--propagation", "private"],
        ...["sh", "-c", WITH_OTHER_PASSWD, "sh", passwd],
        ...[dropbear, ...foreground, ...address, ...keys, ...args],
      ]);
    },
  });
}

function withHome(passwd: string, home: string): string {
  const name = userInfo().username;
  return passwd
    .split("\n")
    .map((line) => {
      const fields = line.split(":");
      return fields[0] === name ? fields.with(5, home).join(":") : line;
    })
    .join("\n");
}
