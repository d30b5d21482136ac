import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Listening } from "./listening.ts";

const TIMEOUT_MS = 3_000;

/** Who listens on a TCP port, from `lsof` and `ps`: macOS and other systems like it. */
export async function listenersFromLsof(port: number): Promise<Listening[]> {
  const lsof = firstExisting(["/usr/sbin/lsof", "/usr/bin/lsof", "/usr/local/bin/lsof"]);
  if (lsof === undefined) return [];
  const output = await outputOf(lsof, ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpcn"]);
  return Promise.all(
    parseLsof(output).map(async (found) => {
      const argv = found.pid === undefined ? [] : await wordsOf(found.pid);
      return argv.length === 0 ? found : { ...found, argv };
    }),
  );
}

/** Who listens on a TCP port, from `netstat` and `tasklist`. */
export async function listenersFromNetstat(port: number): Promise<Listening[]> {
  const system = join(process.env["SystemRoot"] ?? String.raw`C:\Windows`, "System32");
  const output = await outputOf(join(system, "netstat.exe"), ["-ano", "-p", "TCP"]);
  const v6 = await outputOf(join(system, "netstat.exe"), ["-ano", "-p", "TCPv6"]);
  return Promise.all(
    parseNetstat(`${output}\n${v6}`, port).map(async (found) => {
      const filter = ["/FI", `PID eq ${found.pid}`, "/FO", "CSV", "/NH"];
      const program = parseTasklist(await outputOf(join(system, "tasklist.exe"), filter));
      return program === undefined ? found : { ...found, program };
    }),
  );
}

/** Output of `lsof -Fpcn`: a line for each field, named by its first letter. */
export function parseLsof(output: string): Listening[] {
  const found: Listening[] = [];
  let pid: number | undefined;
  let program: string | undefined;
  for (const line of output.split("\n")) {
    const value = line.slice(1);
    if (line.startsWith("p")) {
      pid = Number(value);
      program = undefined;
    } else if (line.startsWith("c")) program = value;
    else if (line.startsWith("n")) {
      found.push({
        address: value.replace(/:\d+$/u, "").replace(/^\[(.*)\]$/u, "$1"),
        ...(pid === undefined ? {} : { pid }),
        ...(program === undefined ? {} : { program }),
      });
    }
  }
  return found;
}

/** Lines of `netstat -ano`. The state is translated, but a listener has the port 0 for its peer. */
export function parseNetstat(output: string, port: number): (Listening & { pid: number })[] {
  const found: (Listening & { pid: number })[] = [];
  for (const line of output.split("\n")) {
    const [protocol, local = "", peer = "", , pid] = line.trim().split(/\s+/u);
    if (protocol !== "TCP" || !peer.endsWith(":0") || pid === undefined) continue;
    const colon = local.lastIndexOf(":");
    if (Number(local.slice(colon + 1)) !== port) continue;
    const address = local.slice(0, colon).replace(/^\[(.*)\]$/u, "$1");
    found.push({ address, pid: Number(pid) });
  }
  return found;
}

/** A line of `tasklist /FO CSV /NH`; a sentence instead when there is no such process. */
export function parseTasklist(output: string): string | undefined {
  return /^"([^"]+)","\d+"/mu.exec(output)?.[1];
}

async function wordsOf(pid: number): Promise<string[]> {
  const line = await outputOf("/bin/ps", ["-ww", "-o", "args=", "-p", String(pid)]);
  return line.trim().split(/\s+/u).filter(Boolean);
}

/** Empty when the program cannot be started or takes too long; lsof exits with 1 when nobody listens. */
function outputOf(program: string, argv: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const options = { timeout: TIMEOUT_MS, maxBuffer: 8 * 1024 * 1024, windowsHide: true };
    execFile(program, argv, options, (_error, output) => resolve(output));
  });
}

function firstExisting(paths: readonly string[]): string | undefined {
  return paths.find((path) => existsSync(path));
}
