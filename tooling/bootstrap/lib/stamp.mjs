import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { builtWorkspaces, bundledWorkspaces, listWorkspaces } from "./workspaces.mjs";

// A stamp says what a piece of work was done for: a hash over the contents of everything it depends
// on. It lives in node_modules, so that it goes when the work's result goes. Contents rather than
// times, because a checkout changes every time and seldom a content.

/** @typedef {"install" | "build"} Work */

/**
 * Whether the work has to be done, for the first time or again.
 *
 * @param {string} root
 * @param {Work} work
 */
export function isStale(root, work) {
  return !hasResult(root, work) || readStamp(root, work) !== fingerprint(root, work);
}

/**
 * Notes that the work has been done.
 *
 * @param {string} root
 * @param {Work} work
 * @param {string} done fingerprint taken before the work began, so that an edit meanwhile counts
 */
export function writeStamp(root, work, done) {
  const path = stampPath(root, work);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${process.pid}`, `${done}\n`);
  renameSync(`${path}.${process.pid}`, path);
}

/**
 * Hash over everything the work depends on.
 *
 * @param {string} root
 * @param {Work} work
 */
export function fingerprint(root, work) {
  const hash = createHash("sha256");
  for (const path of inputs(root, work)) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update("\0");
  }
  return hash.digest("hex");
}

/**
 * Paths below the root, sorted.
 *
 * @param {string} root
 * @param {Work} work
 * @returns {string[]}
 */
function inputs(root, work) {
  const manifests = ["package.json", ".npmrc", "pnpm-lock.yaml", "pnpm-workspace.yaml"];
  const install = [...manifests, ...listWorkspaces(root).map(({ dir }) => `${dir}/package.json`)];
  if (work === "install") return install.filter((path) => existsSync(join(root, path))).sort();
  const shared = [
    "turbo.json",
    ...filesBelow(root, "tooling/tsup"),
    ...filesBelow(root, "tooling/tsconfig"),
  ];
  const sources = bundledWorkspaces(root).flatMap(({ dir }) => [
    ...filesBelow(root, `${dir}/src`),
    ...readdirSync(join(root, dir))
      .filter((name) => /^(?:tsup\.config\.ts|tsconfig.*\.json)$/u.test(name))
      .map((name) => `${dir}/${name}`),
  ]);
  return [...new Set([...install, ...shared, ...sources])]
    .filter((path) => existsSync(join(root, path)))
    .sort();
}

/**
 * @param {string} root
 * @param {string} dir
 * @returns {string[]}
 */
function filesBelow(root, dir) {
  if (!existsSync(join(root, dir))) return [];
  return readdirSync(join(root, dir), { withFileTypes: true }).flatMap((entry) => {
    const path = `${dir}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : filesBelow(root, path);
    return entry.isFile() && !entry.name.endsWith(".test.ts") ? [path] : [];
  });
}

/**
 * @param {string} root
 * @param {Work} work
 */
function hasResult(root, work) {
  if (work === "install") {
    const isLinked = listWorkspaces(root).every(
      ({ dir, manifest }) =>
        Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).length === 0 ||
        existsSync(join(root, dir, "node_modules")),
    );
    return isLinked && existsSync(join(root, "node_modules", ".modules.yaml"));
  }
  return builtWorkspaces(root).every(({ dir }) => existsSync(join(root, dir, "dist")));
}

/**
 * @param {string} root
 * @param {Work} work
 */
function readStamp(root, work) {
  try {
    return readFileSync(stampPath(root, work), "utf8").trim();
  } catch {
    return undefined;
  }
}

/**
 * @param {string} root
 * @param {Work} work
 */
function stampPath(root, work) {
  return join(root, "node_modules", ".cache", "openclaw", `${work}.stamp`);
}
