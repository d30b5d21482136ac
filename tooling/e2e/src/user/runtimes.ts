import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
/** The oldest Node that published packages run on. */
const OLDEST = "22.13.0";
const INSTALL_TIMEOUT_MS = 180_000;

/** A Node to run programs with. */
export interface Runtime {
  name: string;
  /** Folder of the `node` program. */
  bin: string;
  /** Flags with which it runs TypeScript. */
  typescriptFlags: readonly string[];
}

/** The Node that runs the tests. */
export const currentNode: Runtime = {
  name: `Node ${process.versions.node}`,
  bin: dirname(process.execPath),
  typescriptFlags: [],
};

/** The oldest Node there is to be run on, or how to get it. */
export type OldestNode = { ok: true; runtime: Runtime } | { ok: false; advice: string };

/** Finds the oldest supported Node; in CI, gets it first. */
export function oldestNode(): OldestNode {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(root, ".cache", `node-${OLDEST}`);
  const bin = join(folder, "node_modules", name, "bin");
  const install = [
    "install",
    "--no-save",
    "--no-package-lock",
    "--prefix",
    folder,
    `${name}@${OLDEST}`,
  ];
  const isThere = (): boolean => existsSync(join(bin, "node"));
  if (!isThere() && process.env["CI"] !== undefined) {
    spawnSync("npm", install, { stdio: "ignore", timeout: INSTALL_TIMEOUT_MS });
  }
  if (!isThere()) {
    return {
      ok: false,
      advice: `not run on Node ${OLDEST}; to do so: npm ${install.join(" ").replace(root, "")}`,
    };
  }
  const runtime = { name: `Node ${OLDEST}`, bin, typescriptFlags: ["--experimental-strip-types"] };
  return { ok: true, runtime };
}
