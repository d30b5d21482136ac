import { statfs } from "node:fs/promises";
import { availableParallelism, freemem, loadavg, totalmem } from "node:os";
import { parse } from "node:path";
import process from "node:process";
import type { HostStats } from "@openclaw/protocol";

/** How often a node reports its stats. */
export const HOST_STATS_INTERVAL_MS = 60_000;

/**
 * Load, memory and disk of this machine, the disk being that of the current folder's root. What the
 * system does not tell is left out.
 */
export async function hostStats(): Promise<HostStats> {
  const disk = await diskStats();
  const [one = 0, five = 0, fifteen = 0] = loadavg();
  return {
    cpuCount: availableParallelism(),
    loadAverage: [one, five, fifteen],
    memoryTotalBytes: totalmem(),
    memoryFreeBytes: freemem(),
    ...disk,
  };
}

async function diskStats(): Promise<Pick<HostStats, "diskTotalBytes" | "diskAvailableBytes">> {
  try {
    const { bsize, blocks, bavail } = await statfs(parse(process.cwd()).root);
    return { diskTotalBytes: bsize * blocks, diskAvailableBytes: bsize * bavail };
  } catch {
    return {};
  }
}
