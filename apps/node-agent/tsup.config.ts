import { defineConfig } from "tsup";
import { app } from "../../tooling/tsup/app.ts";

export default defineConfig(app({ separate: ["app-kit/src/way/ssh-way.ts"] }));
