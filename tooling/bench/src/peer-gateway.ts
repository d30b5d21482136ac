import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { startGateway, writeConfig } from "./subjects.ts";
import type { GatewayLauncher } from "./subjects.ts";
import { CACHE } from "./workspace.ts";

/** Keeps a published Gateway from starting what this comparison is not about. */
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

/** A published Gateway, installed into the cache on first use. */
export async function peerGateway(version: string): Promise<GatewayLauncher> {
  const entry = join(await install(version), "node_modules", "openclaw", "openclaw.mjs");
  return {
    name: `openclaw@${version}`,
    cli: [entry],
    slowness: 20,
    start: ({ execArgv = [] } = {}) =>
      startGateway({
        args: [...execArgv, entry, "gateway", "run"],
        env: ALONE,
        prepare: (home) =>
          writeConfig(home, {
            gateway: { mode: "local", bind: "loopback" },
            update: { checkOnStart: false },
          }),
      }),
  };
}

async function install(version: string): Promise<string> {
  const folder = join(CACHE, `openclaw-peer-${version}`);
  if (existsSync(folder)) return folder;
  console.error(`installing openclaw@${version} into ${folder} …`);
  const unfinished = `${folder}.part`;
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
  await rename(unfinished, folder);
  return folder;
}
