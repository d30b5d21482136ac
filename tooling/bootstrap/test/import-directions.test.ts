import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { root } from "../lib/root.mjs";

interface Report {
  diagnostics: { code: string; filename: string }[];
}

/** Lints one file of an otherwise empty repository; answers with the rules that it breaks. */
function lint(path: string, source: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), "lint-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  copyFileSync(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), source);
  const script = join(root, "node_modules/oxlint/bin/oxlint");
  const args = [script, "--format", "json", path];
  const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  // The shape is that of oxlint's JSON format.
  const report = JSON.parse(stdout) as Report;
  return report.diagnostics.map(({ code }) => code);
}

const restricted = "eslint(no-restricted-imports)";

test.each([
  ["protocol", "@openclaw/client", restricted],
  ["protocol", "node:fs", restricted],
  ["protocol", "ws", restricted],
  ["ledger", "@openclaw/protocol", restricted],
  ["ledger", "zod", restricted],
  ["config", "@openclaw/protocol", restricted],
  ["client", "@openclaw/gateway-core", restricted],
  ["client", "@openclaw/config", restricted],
  ["client", "zod", restricted],
  ["gateway-core", "@openclaw/client", restricted],
  ["gateway-core", "@openclaw/config", restricted],
  ["gateway-core", "@openclaw/cli", restricted],
  ["node-core", "@openclaw/gateway-core", restricted],
  ["node-core", "@openclaw/config", restricted],
  ["app-kit", "@openclaw/client", restricted],
  ["app-kit", "@openclaw/cli", restricted],
  ["config", "@openclaw/app-kit", restricted],
  ["node-core", "@openclaw/app-kit", restricted],
  ["client", "../../ledger/src/index.ts", restricted],
  ["client", "../../../packages/ledger/src/index.ts", restricted],
  ["client", "../../ledger/dist/index.js", restricted],
])("%s may not import %s", (name, target, code) => {
  const source = `export { thing } from "${target}";\n`;
  expect(lint(`packages/${name}/src/thing.ts`, source)).toContain(code);
});

test.each([
  ["packages/protocol/src/thing.ts", "zod"],
  ["packages/ledger/src/thing.ts", "node:fs"],
  ["packages/client/src/thing.ts", "@openclaw/protocol"],
  ["packages/gateway-core/src/thing.ts", "@openclaw/ledger"],
  ["packages/node-core/src/thing.ts", "@openclaw/client"],
  ["packages/node-core/src/deep/thing.ts", "../../src/other.ts"],
  ["packages/app-kit/src/thing.ts", "@openclaw/config"],
  ["apps/cli/src/thing.ts", "@openclaw/app-kit"],
  ["apps/cli/src/thing.ts", "@openclaw/config"],
  ["packages/protocol/src/thing.test.ts", "node:crypto"],
  ["packages/client/test/thing.test.ts", "@openclaw/testkit"],
])("%s may import %s", (path, target) => {
  expect(lint(path, `export { thing } from "${target}";\n`)).toEqual([]);
});

test("what only apps share is not for tooling and examples", () => {
  const source = 'export { thing } from "@openclaw/app-kit";\n';
  expect(lint("tooling/thing/src/thing.ts", source)).toContain(restricted);
  expect(lint("examples/thing/thing.ts", source)).toContain(restricted);
});

test("apps may not import the tooling of tests", () => {
  const source = 'export { thing } from "@openclaw/testkit";\n';
  expect(lint("apps/cli/src/thing.ts", source)).toContain(restricted);
  const memory = 'export { thing } from "@openclaw/app-kit/testing";\n';
  expect(lint("apps/cli/src/thing.ts", memory)).toContain(restricted);
});

test("gateway-core may not read the environment", () => {
  const source = "export const home = process.env.HOME;\n";
  expect(lint("packages/gateway-core/src/thing.ts", source)).toContain("node(no-process-env)");
});
