import { join } from "node:path";
import { receivedSignal, runChild } from "./child.mjs";
import { withLock } from "./lock.mjs";
import { showProgress } from "./progress.mjs";
import { nodeBinary, packageManager, root, toolEnv } from "./root.mjs";
import { fingerprint, isStale, writeStamp } from "./stamp.mjs";

/** A failure that has been explained in full; no stack is of use to anybody. */
export class BootstrapError extends Error {}

const lockPath = join(root, ".cache", "bootstrap.lock");
const say = (/** @type {string} */ message) => void process.stderr.write(`${message}\n`);

/** Installs the dependencies, unless they are what the lockfile and the manifests ask for. */
export async function ensureInstalled() {
  if (!isStale(root, "install")) return;
  await withLock(lockPath, say, async () => {
    if (isStale(root, "install")) await install();
  });
}

/** Builds the packages, unless they are what the sources say. Installs first if need be. */
export async function ensureBuilt() {
  await ensureInstalled();
  if (!isStale(root, "build")) return;
  await withLock(lockPath, say, async () => {
    if (isStale(root, "build")) await build();
  });
}

/** The Node that tasks run on. */
export function taskNode() {
  const node = nodeBinary();
  if (node !== undefined) return node;
  throw new BootstrapError(
    "Node 24 is missing from node_modules. Remove node_modules and run the command again.",
  );
}

async function install() {
  const done = fingerprint(root, "install");
  const progress = showProgress("Installing dependencies");
  /** @type {string[]} */
  const output = [];
  const code = await runChild(
    "npx",
    [
      "--prefer-offline",
      "-y",
      packageManager(),
      "install",
      "--frozen-lockfile",
      "--reporter=append-only",
      // The first would ask on the terminal; the second would leave Node 24 without its binary.
      "--config.confirmModulesPurge=false",
      "--config.ignore-scripts=false",
    ],
    {
      cwd: root,
      env: process.env,
      onLine(line) {
        output.push(line);
        const added = /added (\d+)/u.exec(line)?.[1];
        if (added !== undefined) progress.detail(`${added} packages`);
      },
    },
  );
  finish(code, progress, {
    success: "Dependencies installed",
    failure: "Installing failed",
    advice: "Is the npm registry reachable? Does pnpm-lock.yaml fit the package.json files?",
    output,
  });
  taskNode();
  writeStamp(root, "install", done);
}

async function build() {
  const done = fingerprint(root, "build");
  const progress = showProgress("Building packages");
  /** @type {string[]} */
  const output = [];
  const code = await runChild(
    taskNode(),
    [join(root, "node_modules/turbo/bin/turbo"), "build", "--output-logs=new-only"],
    {
      cwd: root,
      env: toolEnv(),
      onLine(line) {
        output.push(line);
        const name = /^(\S+?):build:/u.exec(line)?.[1];
        if (name !== undefined) progress.detail(name);
      },
    },
  );
  finish(code, progress, {
    success: "Packages built",
    failure: "Building failed",
    advice: "`npm run build` shows the same with all its output.",
    output,
  });
  writeStamp(root, "build", done);
}

/**
 * @param {number} code
 * @param {import("./progress.mjs").Progress} progress
 * @param {{ success: string, failure: string, advice: string, output: string[] }} words
 */
function finish(code, progress, { success, failure, advice, output }) {
  const signal = receivedSignal();
  if (signal !== undefined) {
    progress.done(`Interrupted by ${signal}`);
    throw new BootstrapError("");
  }
  progress.done(code === 0 ? success : `${failure} (exit code ${code})`);
  if (code === 0) return;
  for (const line of output) say(line);
  throw new BootstrapError(`${failure}. ${advice}`);
}
