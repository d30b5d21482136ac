import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { receivedSignal } from "../lib/child.mjs";
import { ensureBuilt } from "../lib/prepare.mjs";
import { root } from "../lib/root.mjs";
import { runTool } from "../lib/tool.mjs";
import { publishedWorkspaces } from "../lib/workspaces.mjs";
import { packInto } from "./pack.mjs";

/**
 * One thing that is checked; it answers with an exit code.
 *
 * @typedef {(onLine: (line: string) => void) => Promise<number>} Step
 */

/** @type {readonly (readonly [string, Step])[]} */
const STEPS = [
  ["format", (onLine) => runTool("oxfmt", ["--check", "."], { onLine })],
  ["lint", (onLine) => runTool("oxlint", ["--type-aware", "--deny-warnings"], { onLine })],
  ["types", checkTypes],
  ["unused code", (onLine) => runTool("knip", [], { onLine })],
  ["build and packages", checkPackages],
];

/** Runs every step, also after one has failed, and prints the output of those that failed. */
export async function check() {
  /** @type {string[]} */
  const failed = [];
  for (const [name, step] of STEPS) {
    /** @type {string[]} */
    const output = [];
    const startedAt = Date.now();
    const code = await run(step, output);
    if (receivedSignal() !== undefined) return 130;
    const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
    console.log(`${code === 0 ? "✓" : "✗"} ${name} (${seconds} s)`);
    if (code === 0) continue;
    failed.push(name);
    for (const line of output) console.log(line);
  }
  console.log(failed.length === 0 ? "All checks passed." : `Failed: ${failed.join(", ")}.`);
  return failed.length === 0 ? 0 : 1;
}

/**
 * @param {Step} step
 * @param {string[]} output
 */
async function run(step, output) {
  try {
    return await step((line) => void output.push(line));
  } catch (error) {
    output.push(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

/** @type {Step} */
async function checkTypes(onLine) {
  const whole = await runTool("tsc", ["-p", "tsconfig.json"], { onLine });
  const bootstrap = await runTool("tsc", ["-p", "tooling/bootstrap"], { onLine });
  return whole === 0 ? bootstrap : whole;
}

/** Looks at what users get: the tarballs, not the folders. @type {Step} */
async function checkPackages(onLine) {
  await ensureBuilt();
  const folder = mkdtempSync(join(tmpdir(), "openclaw-packs-"));
  try {
    const tarballs = await packInto(folder);
    const libraries = new Set(
      publishedWorkspaces(root)
        .filter(({ manifest }) => manifest.exports?.["."] !== undefined)
        .map(({ manifest }) => manifest.name.replace(/^@/u, "").replace("/", "-")),
    );
    let failures = 0;
    for (const tarball of tarballs) {
      if (!(await isClean(tarball, "publint", [tarball, "--strict"], onLine))) failures += 1;
      // A package of programs has no types to get wrong.
      if (!libraries.has(basename(tarball).replace(/-\d[^-]*\.tgz$/u, ""))) continue;
      const args = [tarball, "--profile", "esm-only", "--no-emoji"];
      if (!(await isClean(tarball, "attw", args, onLine))) failures += 1;
    }
    return failures === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} tarball
 * @param {import("../lib/tool.mjs").ToolName} tool
 * @param {readonly string[]} args
 * @param {(line: string) => void} onLine
 */
async function isClean(tarball, tool, args, onLine) {
  /** @type {string[]} */
  const output = [];
  const code = await runTool(tool, args, { onLine: (line) => void output.push(line) });
  if (code === 0) return true;
  onLine(`${tool}: ${basename(tarball)}`);
  output.forEach(onLine);
  return false;
}
