// `npm run docs`: writes what the documentation derives from the code.

import { writeFileSync } from "node:fs";
import { METHODS_PATH, renderMethods } from "./write-methods.ts";

writeFileSync(METHODS_PATH, await renderMethods());
console.log("docs/methods.md");
