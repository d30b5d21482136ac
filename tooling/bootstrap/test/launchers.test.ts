import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../lib/root.mjs";

/** The launchers cannot import what they share: an old Node must be able to read them whole. */
function launcher(path: string): string {
  const text = readFileSync(join(root, "apps", path), "utf8");
  return text.replaceAll(/openclaw(?:-gateway|-node)? needs Node/g, "<name> needs Node");
}

function part(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[0];
  if (found === undefined) throw new Error(`nothing like ${String(pattern)} in the launcher`);
  return found;
}

test("the launchers of the programs differ in nothing but what they have to", () => {
  const gateway = launcher("gateway/bin/openclaw-gateway.js");
  expect(launcher("node-agent/bin/openclaw-node.js")).toBe(gateway);
  const cli = launcher("cli/bin/openclaw.js");
  for (const pattern of [/^var version[^]*?exitCode = 1;/m, /^function enableCompileCache[^]*/m]) {
    expect(part(cli, pattern).replace("var args = process.argv.slice(2);\n", "")).toBe(
      part(gateway, pattern),
    );
  }
});
