import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, sep } from "node:path";
import type { Options } from "tsup";

type Plugin = NonNullable<Options["esbuildPlugins"]>[number];

/**
 * The build of a program: everything it needs in one folder, so that its tarball installs alone.
 * Commands stay in chunks of their own, loaded when they are used.
 */
export function app(entry: string[] = ["src/main.ts"]): Options {
  return {
    entry,
    format: "esm",
    target: "node22.13",
    platform: "node",
    outDir: "dist",
    clean: true,
    dts: false,
    sourcemap: false,
    splitting: true,
    treeshake: false,
    noExternal: [/.*/],
    removeNodeProtocol: false,
    esbuildPlugins: [builtins(), notices()],
    esbuildOptions(options) {
      options.conditions = ["@openclaw/source", ...(options.conditions ?? [])];
      options.legalComments = "none";
      options.minifySyntax = true;
      options.minifyWhitespace = true;
    },
  };
}

/**
 * Built-in modules that cost milliseconds to load and are needed on few ways only: TLS is not, as
 * long as the Gateway is on this machine. Their functions load them at the first call.
 */
const LAZY_BUILTINS: Readonly<Record<string, readonly string[]>> = {
  https: ["request", "get"],
  tls: ["connect"],
};

/** Lets CommonJS packages find built-in modules from within ESM, and puts off the dear ones. */
function builtins(): Plugin {
  const names = new Set(builtinModules.filter((name) => !name.startsWith("_")));
  return {
    name: "builtins",
    setup(build) {
      build.onResolve({ filter: /^(node:)?[a-z_/]+$/ }, ({ path, kind }) => {
        const name = path.replace(/^node:/, "");
        if (!names.has(name) && !path.startsWith("node:")) return undefined;
        if (Object.hasOwn(LAZY_BUILTINS, name)) return { path: name, namespace: "lazy-builtin" };
        if (kind === "require-call") return { path: name, namespace: "required-builtin" };
        return { path: `node:${name}`, external: true };
      });
      build.onLoad({ filter: /.*/, namespace: "required-builtin" }, ({ path }) => ({
        contents: `module.exports = process.getBuiltinModule("node:${path}");`,
      }));
      build.onLoad({ filter: /.*/, namespace: "lazy-builtin" }, ({ path }) => ({
        contents: (LAZY_BUILTINS[path] ?? [])
          .map(
            (name) =>
              `export const ${name} = (...args) => process.getBuiltinModule("node:${path}").${name}(...args);`,
          )
          .join("\n"),
      }));
    },
  };
}

/** Puts the licences of everything that was bundled beside the bundle. */
function notices(): Plugin {
  return {
    name: "third-party-notices",
    setup(build) {
      build.onEnd(({ metafile }) => {
        const outdir = build.initialOptions.outdir;
        if (metafile === undefined || outdir === undefined) return;
        const roots = new Set(
          Object.keys(metafile.inputs)
            .map((path) => packageRoot(join(process.cwd(), path)))
            .filter((root) => root !== undefined),
        );
        const texts = [...roots].map((root) => notice(root)).toSorted();
        // tsup writes the bundle only after this.
        mkdirSync(outdir, { recursive: true });
        writeFileSync(
          join(outdir, "THIRD-PARTY-NOTICES.txt"),
          `${PREFACE}\n${[...new Set(texts)].join("\n")}`,
        );
      });
    },
  };
}

const PREFACE = "This program contains the following packages.\n";
const RULE = "=".repeat(72);

/** The folder of the package that a file below `node_modules` belongs to. */
function packageRoot(path: string): string | undefined {
  const marker = `${sep}node_modules${sep}`;
  const start = path.lastIndexOf(marker);
  if (start === -1) return undefined;
  const [scope = "", name = ""] = path.slice(start + marker.length).split(sep);
  const folder = scope.startsWith("@") ? join(scope, name) : scope;
  return join(path.slice(0, start), "node_modules", folder);
}

function notice(root: string): string {
  const { name, version, license } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  ) as {
    name: string;
    version: string;
    license?: string;
  };
  const file = ["LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "license"].find((candidate) =>
    existsSync(join(root, candidate)),
  );
  if (file === undefined)
    throw new Error(`no licence text in ${dirname(root)}: ${name}@${version}`);
  return `${RULE}\n${name} ${version} (${license ?? "see below"})\n${RULE}\n\n${readFileSync(join(root, file), "utf8").trim()}\n`;
}
