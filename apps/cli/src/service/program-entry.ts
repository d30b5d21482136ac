import { existsSync, realpathSync } from "node:fs";
import { basename } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const NAMES = /^(?:openclaw|clawdbot|moltbot)(?:\.[cm]?js)?$/u;

/**
 * The file that starts this program, as a service has to name it: the one behind the links that a
 * package manager makes, which it may point elsewhere later.
 */
export function programEntry(script: string | undefined = process.argv[1]): string {
  if (script !== undefined && NAMES.test(basename(script)) && existsSync(script)) {
    return realpathSync(script);
  }
  // Called as a module: the program lies beside it, in the build as in the source.
  const candidates = ["../bin/openclaw.js", "../../bin/openclaw.js"].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  return candidates.find((path) => existsSync(path)) ?? candidates[0] ?? "openclaw.js";
}

const SYSTEM_NODES = ["/usr/bin/node", "/usr/local/bin/node", "/opt/homebrew/bin/node"];

/** Whether there is a Node outside of version managers. */
export function hasSystemNode(): boolean {
  return SYSTEM_NODES.some((path) => existsSync(path));
}
