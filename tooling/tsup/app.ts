import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, sep } from "node:path";
import type { Options } from "tsup";

type Plugin = NonNullable<Options["esbuildPlugins"]>[number];
type PluginBuild = Parameters<Plugin["setup"]>[0];
type BuildOptions = PluginBuild["initialOptions"];
type Metafile = NonNullable<Awaited<ReturnType<PluginBuild["esbuild"]["build"]>>["metafile"]>;

export interface AppOptions {
  /**
   * Modules that become a file of their own when they are imported dynamically, by the end of their
   * path: what few runs need and what is large. Everything else goes into one file, in which a
   * dynamically imported module still runs only when it is asked for.
   */
  separate?: readonly string[];
  /** Programs that the main one starts as processes of their own: the name of the file, and its source. */
  programs?: Readonly<Record<string, string>>;
}

/** What speaks multicast DNS for a Gateway; `@openclaw/discovery` starts it by this name. */
export const DISCOVERY_HELPER = {
  "discovery-helper": "../../packages/discovery/src/helper/discovery-helper.ts",
};

/**
 * The build of a program: everything it needs in one folder, so that its tarball installs alone, in
 * few files, because each costs time at every start.
 */
export function app({ separate = [], programs = {} }: AppOptions = {}): Options {
  const metafiles: Metafile[] = [];
  return {
    entry: { main: "src/main.ts", ...programs },
    format: "esm",
    target: "node22.13",
    platform: "node",
    outDir: "dist",
    clean: true,
    dts: false,
    sourcemap: false,
    splitting: false,
    treeshake: false,
    noExternal: [/.*/],
    removeNodeProtocol: false,
    // The last one writes what the others have collected.
    esbuildPlugins: [
      separated({ names: separate, metafiles, done: new Map() }),
      ...sharedPlugins(),
      notices(metafiles),
    ],
    esbuildOptions: (options) => void Object.assign(options, sharedOptions(options)),
  };
}

function sharedOptions({ conditions = [] }: BuildOptions): BuildOptions {
  return {
    conditions: ["@openclaw/source", ...conditions],
    legalComments: "none",
    // For what was written as CommonJS and still asks where it lies.
    define: { __dirname: "import.meta.dirname", __filename: "import.meta.filename" },
    minifySyntax: true,
    minifyWhitespace: true,
  };
}

function sharedPlugins(): Plugin[] {
  return [builtins(), withoutNativeParts(), oneLocale()];
}

interface Separation {
  readonly names: readonly string[];
  readonly metafiles: Metafile[];
  /** The names of the files that are made or being made. */
  readonly done: Map<string, Promise<string>>;
}

/** Bundles the named modules on their own. They share no class with the rest: see `instanceof`. */
function separated(separation: Separation): Plugin {
  const { names, done } = separation;
  return {
    name: "separated",
    setup(build) {
      const outdir = build.initialOptions.outdir ?? "dist";
      build.onResolve(
        { filter: /\.ts$/ },
        async ({ path, kind, importer, resolveDir, pluginData }) => {
          if (kind !== "dynamic-import" || pluginData === "separated") return undefined;
          const resolved = await build.resolve(path, {
            kind,
            importer,
            resolveDir,
            pluginData: "separated",
          });
          const name = names.find((end) => resolved.path.endsWith(end));
          if (name === undefined) return undefined;
          const file = name.replace(/^.*\//, "").replace(/\.ts$/, ".js");
          const built =
            done.get(name) ?? buildAlone(build, resolved.path, join(outdir, file), separation);
          done.set(name, built);
          return { path: `./${await built}`, external: true };
        },
      );
    },
  };
}

async function buildAlone(
  build: PluginBuild,
  entry: string,
  outfile: string,
  separation: Separation,
): Promise<string> {
  const { target, platform } = build.initialOptions;
  const { metafile } = await build.esbuild.build({
    ...sharedOptions({}),
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    metafile: true,
    // What is separate may ask for another such file, and two of them for the same.
    plugins: [separated(separation), ...sharedPlugins()],
    ...(target === undefined ? {} : { target }),
    ...(platform === undefined ? {} : { platform }),
  });
  separation.metafiles.push(metafile);
  return outfile.slice(outfile.lastIndexOf(sep) + 1);
}

/**
 * Built-in modules that cost milliseconds to load and are not needed on every way: neither TLS nor
 * compression is, as long as the Gateway is on this machine. The functions that are imported from
 * them load them at the first call.
 */
const LAZY_BUILTINS = new Set(["https", "tls", "zlib", "fs/promises"]);

/**
 * Takes built-in modules the way `require` does, and of each only the exports that are used. An
 * `import` of `node:fs` reads all of them, and so loads streams that nobody asked for; of
 * `node:util`, what compares objects; of `node:http`, a proxy agent.
 */
function builtins(): Plugin {
  const names = new Set(builtinModules.filter((name) => !name.startsWith("_")));
  return {
    name: "builtins",
    setup(build) {
      build.onResolve({ filter: /^(node:)?[a-z_/]+$/ }, ({ path, kind }) => {
        const name = path.replace(/^node:/, "");
        if (!names.has(name) && !path.startsWith("node:")) return undefined;
        const namespace = kind === "require-call" ? "required-builtin" : "imported-builtin";
        return { path: name, namespace, sideEffects: false };
      });
      build.onLoad({ filter: /.*/, namespace: "required-builtin" }, ({ path }) => ({
        contents: LAZY_BUILTINS.has(path)
          ? `module.exports = new Proxy({}, { get: (_, key) => process.getBuiltinModule("node:${path}")[key] });`
          : `module.exports = process.getBuiltinModule("node:${path}");`,
      }));
      build.onLoad({ filter: /.*/, namespace: "imported-builtin" }, async ({ path }) => ({
        contents: await importedBuiltin(path),
      }));
    },
  };
}

/** A module with the exports of a built-in one; those that nobody imports are dropped. */
async function importedBuiltin(name: string): Promise<string> {
  const load = `process.getBuiltinModule("node:${name}")`;
  const exported = Object.keys((await import(`node:${name}`)) as object);
  return exported
    .map((key) => {
      if (key === "default") return `export default /* @__PURE__ */ (() => ${load})();`;
      if (key === "module.exports") return "";
      return LAZY_BUILTINS.has(name)
        ? `export const ${key} = (...args) => ${load}.${key}(...args);`
        : `export const ${key} = /* @__PURE__ */ (() => ${load}.${key})();`;
    })
    .join("\n");
}

/**
 * Machine code is of one platform and stays out. Who asks for it does so in a `try`, and goes on with
 * JavaScript.
 */
function withoutNativeParts(): Plugin {
  return {
    name: "without-native-parts",
    setup(build) {
      build.onResolve({ filter: /\.node$|^cpu-features$/ }, ({ path }) => ({
        path,
        namespace: "native-part",
      }));
      build.onLoad({ filter: /.*/, namespace: "native-part" }, () => ({
        contents: `throw new Error("not part of this bundle");`,
      }));
    },
  };
}

/** Leaves out zod's messages in forty languages: only its English default is used. */
function oneLocale(): Plugin {
  return {
    name: "one-locale",
    setup(build) {
      build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
        contents: "export {};",
      }));
    },
  };
}

/** Puts the licences of everything that was bundled beside the bundle. */
function notices(metafiles: readonly Metafile[]): Plugin {
  return {
    name: "third-party-notices",
    setup(build) {
      build.onEnd(({ metafile }) => {
        const outdir = build.initialOptions.outdir;
        if (metafile === undefined || outdir === undefined) return;
        const inputs = [...metafiles, metafile].flatMap((one) => Object.keys(one.inputs));
        const roots = inputs
          .map((path) => packageRoot(join(process.cwd(), path)))
          .filter((root) => root !== undefined);
        const texts = [...new Set(roots)].map((root) => notice(root)).toSorted();
        // tsup writes the bundle only after this.
        mkdirSync(outdir, { recursive: true });
        const path = join(outdir, "THIRD-PARTY-NOTICES.txt");
        writeFileSync(path, `${PREFACE}\n${[...new Set(texts)].join("\n")}`);
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
  ) as { name: string; version: string; license?: string };
  const text = licenceText(root, name);
  if (text === undefined) {
    throw new Error(`no licence text in ${dirname(root)}: ${name}@${version}`);
  }
  return `${RULE}\n${name} ${version} (${license ?? "see below"})\n${RULE}\n\n${text}\n`;
}

/** Packages that name the MIT licence in their sources and ship no file of it, and who holds the rights. */
const MIT_WITHOUT_FILE: Readonly<Record<string, string>> = {
  "qrcode-generator": "Copyright (c) 2009 Kazuhiko Arase",
};

function licenceText(root: string, name: string): string | undefined {
  const file = ["LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "license"].find((candidate) =>
    existsSync(join(root, candidate)),
  );
  if (file !== undefined) return readFileSync(join(root, file), "utf8").trim();
  const holder = MIT_WITHOUT_FILE[name];
  if (holder === undefined) return undefined;
  // Ours is the MIT licence too, so its words are at hand.
  const own = readFileSync(new URL("../../LICENSE", import.meta.url), "utf8");
  return own.replace(/^Copyright .*$/mu, holder).trim();
}
