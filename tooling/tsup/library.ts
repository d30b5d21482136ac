import type { Options } from "tsup";

/** The build of every published library: one clean ESM file an entry; `tsc` writes the declarations. */
export function library(entry: string[] = ["src/index.ts"]): Options {
  return {
    entry,
    format: "esm",
    target: "node22.13",
    platform: "node",
    outDir: "dist",
    clean: true,
    dts: false,
    sourcemap: false,
    splitting: entry.length > 1,
    treeshake: true,
  };
}
