import { defineConfig } from "tsup";
import { library } from "../../tooling/tsup/library.ts";

// Only the first is public. The others keep what calls zod, and what it shares with the rest, in
// files of their own, so that who bundles the package and uses no schema is spared zod.
export default defineConfig(
  library([
    "src/index.ts",
    "src/schemas/method-schemas.ts",
    "src/client-info.ts",
    "src/failure-text.ts",
    "src/limits.ts",
  ]),
);
