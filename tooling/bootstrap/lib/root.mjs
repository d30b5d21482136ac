import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the repository. */
export const root = fileURLToPath(new URL("../../..", import.meta.url)).replace(/[\\/]$/u, "");

/** Version of Node that every script of the repository runs on, as the root's package.json has it. */
const NODE_MAJOR = 24;

/** `name@version` of the package manager, from the one place that pins it. */
export function packageManager() {
  /** @type {{ packageManager: string }} */
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return manifest.packageManager;
}

/**
 * The Node that was installed with the repository's tools, else this one if it is new enough.
 *
 * @returns {string | undefined}
 */
export function nodeBinary() {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const installed = join(root, "node_modules", "node", "bin", name);
  if (existsSync(installed)) return installed;
  return Number(process.versions.node.split(".")[0]) >= NODE_MAJOR ? process.execPath : undefined;
}

/** Environment of everything that is started here: our Node and tools first, and no telemetry. */
export function toolEnv() {
  const bins = [join(root, "node_modules", "node", "bin"), join(root, "node_modules", ".bin")];
  return {
    ...process.env,
    PATH: [...bins, process.env.PATH ?? ""].join(delimiter),
    TURBO_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
  };
}
