import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { root } from "./pages.ts";

/** A page as the formatter writes it, so that what is generated is formatted as all files are. */
export function formatPage(path: string, text: string): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "node_modules/oxfmt/bin/oxfmt"), "--stdin-filepath", path],
    { cwd: root, input: text, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`the formatter failed: ${stderr}`);
  return stdout;
}
