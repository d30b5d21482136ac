import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { BootstrapError } from "../lib/prepare.mjs";
import { root } from "../lib/root.mjs";
import { runTool } from "../lib/tool.mjs";
import { publishedWorkspaces } from "../lib/workspaces.mjs";

/** Writes one tarball for each published package into `.packs/`, in place of those of before. */
export async function pack() {
  const destination = join(root, ".packs");
  mkdirSync(destination, { recursive: true });
  for (const name of readdirSync(destination)) {
    if (name.endsWith(".tgz")) rmSync(join(destination, name));
  }
  const tarballs = await packInto(destination);
  for (const path of tarballs) console.log(`.packs/${basename(path)}`);
  return 0;
}

/**
 * Packs every published workspace. Expects a build.
 *
 * @param {string} destination
 * @returns {Promise<string[]>} paths of the tarballs, named as npm names them
 */
export async function packInto(destination) {
  /** @type {string[]} */
  const tarballs = [];
  for (const { dir, manifest } of publishedWorkspaces(root)) {
    /** @type {string[]} */
    const output = [];
    // One at a time: pnpm is the slow part, and its output belongs to one package.
    const code = await runTool("pnpm", ["pack", "--pack-destination", destination], {
      cwd: join(root, dir),
      onLine: (line) => void output.push(line),
    });
    if (code !== 0) {
      throw new BootstrapError([...output, `Packing ${manifest.name} failed.`].join("\n"));
    }
    const name = `${manifest.name.replace(/^@/u, "").replace("/", "-")}-${manifest.version}.tgz`;
    tarballs.push(join(destination, name));
  }
  return tarballs;
}
