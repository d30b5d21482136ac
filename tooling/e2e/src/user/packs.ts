import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { startProcess } from "@openclaw/testkit";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const PACK_DEADLINE_MS = 120_000;

/** The tarballs that `npm run pack` makes, by package name. */
export type Packs = ReadonlyMap<string, string>;

/**
 * Packs every published package into a folder, by the code of `npm run pack`.
 *
 * @throws when there is no build; `npm test` makes one
 */
export async function packAll(folder: string): Promise<Packs> {
  if (!existsSync(join(root, "apps/cli/dist/main.js"))) {
    throw new Error("nothing to pack: run `npm run build` first, or the tests with `npm test`");
  }
  const module = pathToFileURL(join(root, "tooling/bootstrap/tasks/pack.mjs")).href;
  const script = `
    const { packInto } = await import(${JSON.stringify(module)});
    console.log("packed " + JSON.stringify(await packInto(${JSON.stringify(folder)})));
  `;
  await using packing = startProcess(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: root,
    env: { HOME: process.env["HOME"] ?? folder },
  });
  const [, list = "[]"] = await packing.line(/^packed (.*)$/, { deadlineMs: PACK_DEADLINE_MS });
  // The list that was just printed.
  const paths = JSON.parse(list) as string[];
  return new Map(
    paths.map((path) => [
      path.replace(/^.*\/openclaw-(.*)-\d+\.\d+\.\d+.*\.tgz$/, "@openclaw/$1"),
      path,
    ]),
  );
}

/** The tarballs of some packages. */
export function tarballs(packs: Packs, ...names: readonly string[]): string[] {
  return names.map((name) => {
    const path = packs.get(name);
    if (path === undefined) throw new Error(`${name} was not packed`);
    return path;
  });
}

/** Packs a package as it lies in `node_modules`; returns the tarball. */
export async function packInstalled(path: string, folder: string): Promise<string> {
  const pnpm = join(root, "node_modules/pnpm/bin/pnpm.cjs");
  const args = ["pack", "--json", "--config.ignore-scripts=true", "--pack-destination", folder];
  await using packing = startProcess(process.execPath, [pnpm, ...args], {
    cwd: join(root, path),
    env: { HOME: folder },
  });
  const { code } = await packing.exited;
  if (code !== 0) throw new Error(`packing ${path} ended with ${code}:\n${packing.stderr}`);
  // What `--json` prints.
  return (JSON.parse(packing.stdout) as { filename: string }).filename;
}
