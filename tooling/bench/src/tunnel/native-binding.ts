import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CACHE } from "../workspace.ts";

const run = promisify(execFile);

/**
 * Builds ssh2's native binding for the Node that runs, once, into the cache. An install builds it for
 * the Node that installs, and a binding of another version is left out without a word.
 *
 * @returns its path; undefined when it cannot be built here
 */
export async function nativeBinding(progress: (text: string) => void): Promise<string | undefined> {
  const folder = join(CACHE, "openclaw-bench", `ssh2-binding-${process.versions.modules}`);
  const built = join(folder, "crypto", "build", "Release", "sshcrypto.node");
  if (existsSync(built)) return built;
  try {
    progress("building ssh2's native binding");
    const ssh2 = dirname(
      realpathSync(
        createRequire(fileURLToPath(import.meta.resolve("@openclaw/tunnel"))).resolve(
          "ssh2/package.json",
        ),
      ),
    );
    mkdirSync(folder, { recursive: true });
    cpSync(join(ssh2, "lib", "protocol", "crypto"), join(folder, "crypto"), { recursive: true });
    await run(process.execPath, [await nodeGyp(), "rebuild", `--nodedir=${headers()}`], {
      cwd: join(folder, "crypto"),
      env: { ...process.env, NODE_PATH: dirname(ssh2) },
      timeout: 180_000,
    });
    return built;
  } catch (error) {
    progress(`no native binding: ${(error as Error).message.split("\n")[0]}`);
    return undefined;
  }
}

/** npm brings one with it. */
async function nodeGyp(): Promise<string> {
  const { stdout } = await run("npm", ["root", "--global"]);
  return join(stdout.trim(), "npm", "node_modules", "node-gyp", "bin", "node-gyp.js");
}

/** The headers that come with this very Node: beside `bin`. */
function headers(): string {
  return dirname(dirname(realpathSync(process.execPath)));
}
