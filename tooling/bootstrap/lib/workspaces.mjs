import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * @typedef {object} Manifest
 * @property {string} name
 * @property {string} version
 * @property {boolean} [private]
 * @property {Record<string, unknown>} [exports]
 * @property {Record<string, string>} [scripts]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [devDependencies]
 */

/**
 * @typedef {object} Workspace
 * @property {string} dir path below the root, with forward slashes
 * @property {Manifest} manifest
 */

/**
 * All workspaces that `pnpm-workspace.yaml` names, in a stable order. Understands `folder/*`, which
 * is all that file uses.
 *
 * @param {string} root
 * @returns {Workspace[]}
 */
export function listWorkspaces(root) {
  const text = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8");
  const folders = [...text.matchAll(/^\s+- ["']?([\w-]+)\/\*["']?\s*$/gmu)].map(
    (match) => match[1] ?? "",
  );
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder))
        .sort()
        .map((name) => `${folder}/${name}`),
    )
    .filter((dir) => existsSync(join(root, dir, "package.json")))
    .map((dir) => ({
      dir,
      manifest: JSON.parse(readFileSync(join(root, dir, "package.json"), "utf8")),
    }));
}

/**
 * Those that go to the registry.
 *
 * @param {string} root
 */
export function publishedWorkspaces(root) {
  return listWorkspaces(root).filter(
    ({ dir, manifest }) => manifest.private !== true && /^(?:packages|apps)\//u.test(dir),
  );
}

/**
 * Those that have something to build.
 *
 * @param {string} root
 */
export function builtWorkspaces(root) {
  return listWorkspaces(root).filter(({ manifest }) => manifest.scripts?.["build"] !== undefined);
}

/**
 * Those whose sources end up in something that is built: also a private package without a build of
 * its own, which becomes part of the programs.
 *
 * @param {string} root
 */
export function bundledWorkspaces(root) {
  const built = new Set(builtWorkspaces(root).map(({ dir }) => dir));
  return listWorkspaces(root).filter(({ dir }) => built.has(dir) || dir.startsWith("packages/"));
}
