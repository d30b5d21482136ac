import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const page = readFileSync(
  fileURLToPath(new URL("../../../docs/reverse-proxy.md", import.meta.url)),
  "utf8",
);

/** A configuration as docs/reverse-proxy.md tells it to users. */
export function pageBlock(name: string): string {
  const [, block] = page.split(`<!-- proxy: ${name} -->`);
  const text = /^\n\n```\w+\n(.*?)^```$/ms.exec(block ?? "")?.[1];
  if (text === undefined) throw new Error(`docs/reverse-proxy.md has no block ${name}`);
  return text;
}
