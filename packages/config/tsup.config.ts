import { defineConfig } from "tsup";
import { library } from "../../tooling/tsup/library.ts";

// Split, so that the schema and zod stay in a file that is loaded only when a config is validated.
export default defineConfig({ ...library(), splitting: true });
