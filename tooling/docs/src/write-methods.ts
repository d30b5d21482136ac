import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createGateway } from "@openclaw/gateway-core";
import { methodReference } from "./method-reference.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Where {@link renderMethods} belongs. */
export const METHODS_PATH = fileURLToPath(new URL("../../../docs/methods.md", import.meta.url));

/** The reference of all methods, formatted as the repository's files are. */
export async function renderMethods(): Promise<string> {
  await using gateway = createGateway({ auth: { mode: "none" } });
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [`${root}node_modules/oxfmt/bin/oxfmt`, "--stdin-filepath", METHODS_PATH],
    { cwd: root, input: methodReference(gateway.methods), encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`the formatter failed: ${stderr}`);
  return stdout;
}
