import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Where profiles are kept. */
export const CACHE = join(ROOT, "node_modules", ".cache");

/** The entry of the built command line. */
export const CLI_ENTRY = join(ROOT, "apps", "cli", "bin", "openclaw.js");

/** Arguments for Node that run a file of this package from source. */
export function sourceArgs(file: string): string[] {
  return ["--conditions=@openclaw/source", fileURLToPath(new URL(file, import.meta.url))];
}
