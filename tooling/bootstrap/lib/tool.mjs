import { join } from "node:path";
import { runChild } from "./child.mjs";
import { taskNode } from "./prepare.mjs";
import { root, toolEnv } from "./root.mjs";

/** Scripts of the tools that tasks use. Started directly: a shell in between would eat signals. */
const TOOLS = {
  attw: "node_modules/@arethetypeswrong/cli/dist/index.js",
  changeset: "node_modules/@changesets/cli/bin.js",
  knip: "node_modules/knip/bin/knip.js",
  oxfmt: "node_modules/oxfmt/bin/oxfmt",
  oxlint: "node_modules/oxlint/bin/oxlint",
  pnpm: "node_modules/pnpm/bin/pnpm.cjs",
  publint: "node_modules/publint/src/cli.js",
  tsc: "node_modules/typescript/bin/tsc",
  turbo: "node_modules/turbo/bin/turbo",
  vitest: "node_modules/vitest/vitest.mjs",
};

/** @typedef {keyof typeof TOOLS} ToolName */

/**
 * Runs one of the repository's tools with the repository's Node.
 *
 * @param {ToolName} name
 * @param {readonly string[]} args
 * @param {{ cwd?: string, onLine?: (line: string) => void }} [options]
 */
export function runTool(name, args, options = {}) {
  return runNode([join(root, TOOLS[name]), ...args], options);
}

/**
 * Runs a TypeScript program of the repository from its source.
 *
 * @param {string} script path below the root
 * @param {readonly string[]} args
 */
export function runSource(script, args) {
  return runNode(["--conditions=@openclaw/source", join(root, script), ...args]);
}

/**
 * @param {readonly string[]} args
 * @param {{ cwd?: string, onLine?: (line: string) => void }} [options]
 */
function runNode(args, { cwd = root, onLine } = {}) {
  const env = toolEnv();
  if (onLine === undefined) return runChild(taskNode(), args, { cwd, env });
  // Its output goes through us, so it cannot see whether a terminal is at the end.
  const colour = process.stdout.isTTY ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" };
  return runChild(taskNode(), args, { cwd, env: { ...env, ...colour }, onLine });
}
