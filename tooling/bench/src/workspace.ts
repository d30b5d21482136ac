import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Where installs of published peers and profiles are kept between runs. */
export const CACHE = join(ROOT, "node_modules", ".cache");

/** The entry of the built command line. */
export const CLI_ENTRY = join(ROOT, "apps", "cli", "bin", "openclaw.js");

/** Arguments for Node that run a file of this package from source. */
export function sourceArgs(file: string): string[] {
  return ["--conditions=@openclaw/source", fileURLToPath(new URL(file, import.meta.url))];
}

/**
 * A port that was free a moment ago. A published Gateway has to be told its port, and to time a
 * start we must know where to knock before anything is printed.
 */
export async function pickPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
