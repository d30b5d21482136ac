import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Resident memory of a process, in bytes. */
export function rssBytes(pid: number): number {
  if (process.platform === "linux") {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) * 1024;
}

/**
 * CPU time that the threads of a process have used so far, in milliseconds; NaN where it cannot be
 * read. Taken from the scheduler, which counts nanoseconds; `stat` has steps of 10 ms.
 */
export function cpuMs(pid: number): number {
  if (process.platform !== "linux") return Number.NaN;
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const [ran] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
      nanoseconds += Number(ran);
    } catch {
      // A helper thread that ended meanwhile.
    }
  }
  return nanoseconds / 1e6;
}
