import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, delimiter, dirname, join } from "node:path";
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
    // Not what an install may have built: it is for another Node, most likely.
    cpSync(join(ssh2, "lib", "protocol", "crypto"), join(folder, "crypto"), {
      recursive: true,
      filter: (source) => basename(source) !== "build",
    });
    await run(process.execPath, [nodeGyp(), "rebuild", `--nodedir=${headers()}`], {
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
function nodeGyp(): string {
  const npm = (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "npm"))
    .find((path) => existsSync(path));
  if (npm === undefined) throw new Error("there is no npm");
  return join(dirname(realpathSync(npm)), "..", "node_modules", "node-gyp", "bin", "node-gyp.js");
}

/** The headers that come with this very Node: beside `bin`, or in the package that npm took it from. */
function headers(): string {
  const root = dirname(dirname(realpathSync(process.execPath)));
  const platform = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const candidates = [root, join(root, "node_modules", platform), join(dirname(root), platform)];
  const found = candidates.find((one) => existsSync(join(one, "include", "node", "node.h")));
  if (found === undefined) throw new Error("this Node came without its headers");
  return found;
}
