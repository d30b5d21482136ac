// `npm run docs`: writes what the documentation takes from the code, and names the files that changed.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fillCopies, readPages, root } from "./pages.ts";
import { CONFIG_REFERENCE_PATH, renderConfigReference } from "./write-config-reference.ts";
import { METHODS_PATH, renderMethods } from "./write-methods.ts";

writeFileSync(METHODS_PATH, await renderMethods());
console.log("docs/methods.md");
writeFileSync(CONFIG_REFERENCE_PATH, await renderConfigReference());
console.log("docs/config-reference.md");
for (const { path, text } of readPages()) {
  const filled = fillCopies(text, (example) => readFileSync(join(root, example), "utf8"));
  if (filled === text) continue;
  writeFileSync(join(root, path), filled);
  console.log(path);
}
