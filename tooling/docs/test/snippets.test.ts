import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { expect, onTestFinished, test } from "vitest";
import { codeBlocks, fillCopies, readPages, root } from "../src/pages.ts";

const pages = readPages();
const blocks = pages.flatMap(codeBlocks);

test("blocks that are copies of an example are that example, word for word", () => {
  const copies = blocks.filter(({ copyOf }) => copyOf !== undefined);
  for (const { page, line, text, copyOf = "" } of copies) {
    expect({ page, line, text }).toEqual({ page, line, text: read(copyOf) });
  }
  expect(copies.map(({ page, copyOf }) => `${page}: ${copyOf}`)).toEqual(
    expect.arrayContaining([
      "packages/gateway-core/README.md: examples/embed-gateway/embed-gateway.ts",
      "packages/node-core/README.md: examples/write-a-node/write-a-node.ts",
      "packages/tunnel/README.md: examples/open-a-tunnel/open-a-tunnel.ts",
    ]),
  );
});

test("every block of TypeScript compiles", () => {
  const folder = join(root, "tooling/docs/.cache", `snippets-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const names = new Map<string, string>();
  for (const { page, line, language, text } of blocks) {
    if (language !== "ts") continue;
    const name = `${page.replaceAll(/\W+/g, "-")}-${line}.ts`;
    names.set(name, `${page}:${line}`);
    writeFileSync(join(folder, name), text);
  }
  writeFileSync(join(folder, "names.d.ts"), NAMES);
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: join(root, "tooling/tsconfig/base.json"),
      compilerOptions: {
        noEmit: true,
        customConditions: ["@openclaw/source"],
        // A page shows a value without using it.
        noUnusedLocals: false,
        // DOM-free, but a reader's program may well be a script.
        types: ["node"],
      },
      // Packages are resolved from their sources, and some declare modules that have no types.
      include: ["*.ts", join(root, "packages/*/src/**/*.d.ts")],
    }),
  );

  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { stdout } = spawnSync(process.execPath, [tsc, "-p", folder, "--pretty", "false"], {
    cwd: folder,
    encoding: "utf8",
  });
  const failures = stdout.replaceAll(/^([\w-]+\.ts)/gm, (name) => names.get(name) ?? name);
  expect(failures).toBe("");
  expect(names.size).toBeGreaterThan(20);
});

test("links to files lead somewhere", () => {
  const dead = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)]
      .map(([, target = ""]) => target)
      .filter((target) => !existsSync(join(root, dirname(path), target)))
      .map((target) => `${path}: ${target}`),
  );
  expect(dead).toEqual([]);
});

test("fills copies and leaves other blocks alone", () => {
  const page = [
    "<!-- examples/a/a.ts -->",
    "",
    "```ts",
    "old();",
    "```",
    "",
    "```ts",
    "other();",
    "```",
    "",
  ].join("\n");
  expect(fillCopies(page, (path) => `// ${path}\n`)).toBe(
    page.replace("old();", "// examples/a/a.ts"),
  );
});

/** Names that a block may use without showing where they come from. */
const NAMES = `
import type { DeviceIdentity } from "@openclaw/client";
import type { NodeCommand } from "@openclaw/node-core";
declare global {
  const url: string;
  const token: string;
  const identity: DeviceIdentity;
  const commands: readonly NodeCommand[];
}
`;

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}
