import { defineConfig } from "tsup";
import { app } from "../../tooling/tsup/app.ts";

export default defineConfig(app());
