import { spawn } from "node:child_process";

export interface BrowserQuestion {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
}

/** Whether somebody sits in front of this machine who would see a window. */
export function hasDesktop({ env, platform }: BrowserQuestion): boolean {
  if (isOverSsh(env)) return false;
  if (platform === "darwin" || platform === "win32") return true;
  return isSet(env["DISPLAY"]) || isSet(env["WAYLAND_DISPLAY"]);
}

/** Whether this shell came in over SSH. */
export function isOverSsh(env: BrowserQuestion["env"]): boolean {
  return ["SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"].some((name) => isSet(env[name]));
}

/**
 * Hands a page to the browser of the desktop, through the system's own program and no shell. Resolves
 * to whether there was such a program; the browser outlives this process.
 */
export function openBrowser(url: string, { env, platform }: BrowserQuestion): Promise<boolean> {
  const [program, ...args] = opener(platform);
  return new Promise((resolve) => {
    const child = spawn(program, [...args, url], {
      env: { ...env },
      stdio: "ignore",
      detached: true,
    });
    child.once("error", () => resolve(false));
    child.once("spawn", () => {
      child.unref();
      resolve(true);
    });
  });
}

function opener(platform: NodeJS.Platform): [program: string, ...args: string[]] {
  if (platform === "darwin") return ["open"];
  return platform === "win32" ? ["rundll32", "url.dll,FileProtocolHandler"] : ["xdg-open"];
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}
