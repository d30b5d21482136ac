import { homedir } from "node:os";
import process from "node:process";

/** The machine that system commands act on. */
export interface SystemHost {
  /** Environment of the node; commands inherit it without the node's credentials. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homedir: string;
  /** Folder that commands start in when the caller names none. */
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
}

/** This machine, as this process sees it. */
export function thisHost(): SystemHost {
  return {
    env: process.env,
    homedir: homedir(),
    cwd: homedir(),
    platform: process.platform,
  };
}
