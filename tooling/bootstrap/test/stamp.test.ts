import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fingerprint, isStale, writeStamp } from "../lib/stamp.mjs";

type Work = "install" | "build";

/** A repository of one package whose install and build are up to date. */
function createRepository(): { root: string; write(path: string, text: string): void } {
  const root = mkdtempSync(join(tmpdir(), "stamp-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  function write(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  write("package.json", "{}");
  write("pnpm-workspace.yaml", "packages:\n  - packages/*\n");
  write("pnpm-lock.yaml", "lockfileVersion: 9\n");
  write(
    "packages/a/package.json",
    JSON.stringify({ name: "a", scripts: { build: "b" }, dependencies: { x: "1" } }),
  );
  write("packages/a/src/index.ts", "export const a = 1;\n");
  write("packages/a/src/index.test.ts", "");
  write("tooling/tsup/library.ts", "");
  write("node_modules/.modules.yaml", "");
  write("packages/a/node_modules/x/package.json", "{}");
  write("packages/a/dist/index.js", "");
  for (const work of ["install", "build"] as const) {
    writeStamp(root, work, fingerprint(root, work));
  }
  return { root, write };
}

function staleWork(root: string): Work[] {
  return (["install", "build"] as const).filter((work) => isStale(root, work));
}

test("nothing is done again when nothing has changed", () => {
  const { root } = createRepository();
  expect(staleWork(root)).toEqual([]);
});

test("a file that was only touched does not count", () => {
  const { root } = createRepository();
  utimesSync(join(root, "packages/a/src/index.ts"), 1, 1);
  utimesSync(join(root, "pnpm-lock.yaml"), 1, 1);
  expect(staleWork(root)).toEqual([]);
});

test.each<[string, Work[]]>([
  ["pnpm-lock.yaml", ["install", "build"]],
  ["pnpm-workspace.yaml", ["install", "build"]],
  ["package.json", ["install", "build"]],
  ["packages/a/package.json", ["install", "build"]],
  ["packages/a/src/index.ts", ["build"]],
  ["packages/a/src/new/file.ts", ["build"]],
  ["packages/a/tsup.config.ts", ["build"]],
  ["tooling/tsup/library.ts", ["build"]],
  ["packages/a/src/index.test.ts", []],
  ["packages/a/README.md", []],
])("a change of %s makes stale: %j", (path, expected) => {
  const { root, write } = createRepository();
  const isManifest = path.endsWith("a/package.json");
  write(path, isManifest ? '{"scripts":{"build":"c"}}' : `packages:\n  - packages/*\n# new\n`);
  expect(staleWork(root)).toEqual(expected);
});

test("the sources of a package that is only bundled count for the build", () => {
  const { root, write } = createRepository();
  write("packages/kit/package.json", '{"name":"kit","private":true}');
  for (const work of ["install", "build"] as const) {
    writeStamp(root, work, fingerprint(root, work));
  }
  write("packages/kit/src/index.ts", "export const kit = 1;\n");
  expect(staleWork(root)).toEqual(["build"]);
});

test("a new workspace has to be installed", () => {
  const { root, write } = createRepository();
  write("packages/b/package.json", '{"name":"b"}');
  expect(staleWork(root)).toEqual(["install", "build"]);
});

test.each<[string, Work[]]>([
  // The stamps live in there, so they go with it.
  ["node_modules", ["install", "build"]],
  ["packages/a/node_modules", ["install"]],
  ["packages/a/dist", ["build"]],
])("removing %s makes stale: %j", (path, expected) => {
  const { root } = createRepository();
  rmSync(join(root, path), { recursive: true });
  expect(staleWork(root)).toEqual(expected);
});

test("an edit during the work leaves it stale", () => {
  const { root, write } = createRepository();
  const before = fingerprint(root, "build");
  write("packages/a/src/index.ts", "export const a = 2;\n");
  writeStamp(root, "build", before);
  expect(staleWork(root)).toEqual(["build"]);
});
