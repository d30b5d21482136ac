import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** A published `openclaw`, installed in a folder of its own. */
export interface PublishedRelease {
  readonly version: string;
  /** The script that Node runs. */
  readonly entry: string;
  /** Keeps it from starting what a comparison is not about. */
  readonly env: Readonly<Record<string, string>>;
  /** Writes its config file into a home directory. `gateway` adds to that section of it. */
  prepareHome(home: string, gateway?: Readonly<Record<string, unknown>>): Promise<void>;
}

const CACHE = fileURLToPath(new URL("../../../node_modules/.cache", import.meta.url));

const ALONE = {
  OPENCLAW_SKIP_CHANNELS: "1",
  OPENCLAW_SKIP_CRON: "1",
  OPENCLAW_SKIP_GMAIL_WATCHER: "1",
  OPENCLAW_SKIP_CANVAS_HOST: "1",
  OPENCLAW_SKIP_BROWSER_CONTROL_SERVER: "1",
  OPENCLAW_SKIP_STARTUP_MODEL_PREWARM: "1",
  OPENCLAW_DISABLE_BONJOUR: "1",
  OPENCLAW_NO_AUTO_UPDATE: "1",
  OPENCLAW_NO_RESPAWN: "1",
};

/** A published release, from the registry on first use and from `node_modules/.cache` after that. */
export async function publishedRelease(version: string): Promise<PublishedRelease> {
  const folder = await install(version);
  return {
    version,
    entry: join(folder, "node_modules", "openclaw", "openclaw.mjs"),
    env: ALONE,
    async prepareHome(home, gateway = {}) {
      await mkdir(join(home, ".openclaw"), { recursive: true, mode: 0o700 });
      const config = {
        gateway: { mode: "local", bind: "loopback", ...gateway },
        update: { checkOnStart: false },
        // Else it logs into a folder that all its instances share.
        logging: { file: join(home, "openclaw.log") },
      };
      await writeFile(join(home, ".openclaw", "openclaw.json"), JSON.stringify(config), {
        mode: 0o600,
      });
    },
  };
}

async function install(version: string): Promise<string> {
  const folder = join(CACHE, `openclaw-peer-${version}`);
  if (existsSync(folder)) return folder;
  console.error(`installing openclaw@${version} into ${folder} …`);
  const unfinished = `${folder}.part-${process.pid}`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  await writeFile(
    join(unfinished, "package.json"),
    JSON.stringify({
      private: true,
      // Later ones need a package that is not published.
      overrides: { linkedom: "0.18.12" },
      dependencies: { openclaw: version },
    }),
  );
  // No install script of a dependency runs. With this Node first, npm checks engines against it.
  await promisify(execFile)("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: unfinished,
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env["PATH"]}` },
    maxBuffer: 64 * 1024 * 1024,
  });
  try {
    await rename(unfinished, folder);
  } catch (error) {
    // Somebody else has installed the same meanwhile.
    await rm(unfinished, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
