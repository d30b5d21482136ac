// Runs a task of the repository: `node tooling/bootstrap/run.mjs <task> [arguments]`.
// Needs nothing but Node 18 and npm; installs the rest. The scripts of package.json call it.

import { main } from "./lib/main.mjs";
import { ensureBuilt, ensureInstalled } from "./lib/prepare.mjs";
import { runSource, runTool } from "./lib/tool.mjs";
import { check } from "./tasks/check.mjs";
import { pack } from "./tasks/pack.mjs";

/**
 * @typedef {object} Task
 * @property {() => Promise<void>} prepare
 * @property {(args: readonly string[]) => Promise<number>} run
 */

/** @type {Readonly<Record<string, Task>>} */
const TASKS = {
  test: { prepare: ensureBuilt, run: (args) => runTool("vitest", ["run", ...args]) },
  check: { prepare: ensureInstalled, run: check },
  build: { prepare: ensureInstalled, run: (args) => runTool("turbo", ["build", ...args]) },
  pack: { prepare: ensureBuilt, run: pack },
  format: {
    prepare: ensureInstalled,
    run: (args) => runTool("oxfmt", args.length > 0 ? args : ["."]),
  },
  bench: { prepare: ensureBuilt, run: (args) => runSource("tooling/bench/src/main.ts", args) },
  interop: { prepare: ensureBuilt, run: (args) => runSource("tooling/interop/src/main.ts", args) },
  changeset: { prepare: ensureBuilt, run: (args) => runTool("changeset", args) },
  docs: { prepare: ensureInstalled, run: (args) => runSource("tooling/docs/src/main.ts", args) },
};

await main(async () => {
  const [name = "", ...args] = process.argv.slice(2);
  const task = Object.hasOwn(TASKS, name) ? TASKS[name] : undefined;
  if (task === undefined) {
    console.error(`Unknown task "${name}". Tasks: ${Object.keys(TASKS).join(", ")}.`);
    return 1;
  }
  await task.prepare();
  return await task.run(args);
});
