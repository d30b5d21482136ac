import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { createGateway } from "@openclaw/gateway-core";
import { methodReference } from "./method-reference.ts";
import { root } from "./pages.ts";

/** Where {@link renderMethods} belongs. */
export const METHODS_PATH = join(root, "docs/methods.md");

/** The reference of all methods, formatted as the repository's files are. */
export async function renderMethods(): Promise<string> {
  await using gateway = createGateway({ auth: { mode: "none" } });
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "node_modules/oxfmt/bin/oxfmt"), "--stdin-filepath", METHODS_PATH],
    { cwd: root, input: methodReference(gateway.methods), encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`the formatter failed: ${stderr}`);
  return stdout;
}
