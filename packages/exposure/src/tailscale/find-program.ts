import { access, constants, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import process from "node:process";

/** Where the app of the Mac keeps the program; other systems have it in PATH. */
export const MAC_APP = "/Applications/Tailscale.app/Contents/MacOS/Tailscale";

/** Where services have a short PATH: the folders in which packages put the program. */
const USUAL_FOLDERS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ["/usr/local/bin", "/opt/homebrew/bin"],
  win32: ["C:\\Program Files\\Tailscale"],
};

/**
 * Absolute paths at which a `tailscale` program stands that this user may start, best first: the folders
 * of PATH, on some systems usual ones besides, and on a Mac the app. Relative folders of PATH are passed over: what stands in
 * the current folder is not what the user has installed.
 */
export async function programCandidates(
  path: string | undefined,
  platform: NodeJS.Platform = process.platform,
): Promise<string[]> {
  const name = platform === "win32" ? "tailscale.exe" : "tailscale";
  const folders = [...(path ?? "").split(delimiter), ...(USUAL_FOLDERS[platform] ?? [])];
  const places = folders.filter((folder) => isAbsolute(folder)).map((folder) => join(folder, name));
  if (platform === "darwin") places.push(MAC_APP);
  const found: string[] = [];
  for (const place of new Set(places)) if (await isProgram(place)) found.push(place);
  return found;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
