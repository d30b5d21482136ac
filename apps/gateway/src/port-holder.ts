import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { platform } from "node:os";

/** A process that listens on a TCP port of this host. Fields that cannot be read are absent. */
export interface PortHolder {
  address: string;
  pid?: number;
  command?: string;
  commandLine?: string;
  /** Login name, or the number of a user that has none. */
  user?: string;
}

/** What a holder is, as far as its command line tells. */
export type HolderKind = "gateway" | "ssh" | "unknown";

const LSOF_TIMEOUT_MS = 2_000;
const LISTEN_STATE = "0A";

/**
 * Who listens on `port` of this host. On Linux from `/proc`, elsewhere from `lsof`; a process of
 * another user appears with its address and user only. Empty when nobody does, or when nothing can be read.
 */
export async function findPortHolders(port: number): Promise<PortHolder[]> {
  return platform() === "linux" ? holdersFromProc(port) : holdersFromLsof(port);
}

export function holderKind(holder: PortHolder): HolderKind {
  const line = holder.commandLine ?? holder.command ?? "";
  // First the program itself: what it was given may name anything, such as a key called openclaw.
  if (/^(?:\S*\/)?ssh(?:\s|:|$)/.test(line)) return "ssh";
  if (/openclaw|clawdbot|moltbot/i.test(line)) return "gateway";
  return /[/\s]ssh(\s|$)/.test(line) ? "ssh" : "unknown";
}

/** One line for people: `pid 4711 (node …/openclaw.js gateway run) on 127.0.0.1`. */
export function describeHolder(holder: PortHolder): string {
  const name = holder.commandLine ?? holder.command;
  const shown = name === undefined ? "" : ` (${name.slice(0, 100)})`;
  return `${holder.pid === undefined ? `a process of ${holder.user ?? "another user"}` : `pid ${holder.pid}`}${shown} on ${holder.address}`;
}

/** What to do about it, by kind. */
export function holderHint(holders: readonly PortHolder[], port: number): string {
  if (holders.length > 1) {
    return `Only one gateway or tunnel can use a port: stop the others, or choose another port.`;
  }
  const [holder] = holders;
  const kind = holder === undefined ? "unknown" : holderKind(holder);
  if (kind === "gateway") {
    return `A gateway already runs on port ${port}: stop it, or choose another port with --port.`;
  }
  if (kind === "ssh") {
    return `An SSH tunnel already holds port ${port}: close it, or use another local port in its -L option.`;
  }
  return `Another process holds port ${port}: stop it, or choose another port with --port.`;
}

async function holdersFromProc(port: number): Promise<PortHolder[]> {
  const sockets = new Map<string, { address: string; uid: string | undefined }>();
  for (const [file, family] of [
    ["/proc/net/tcp", 4],
    ["/proc/net/tcp6", 6],
  ] as const) {
    const text = await readFile(file, "utf8").catch(() => "");
    for (const line of text.split("\n").slice(1)) {
      const [, local, , state, , , , uid, , inode] = line.trim().split(/\s+/);
      const [address, hexPort] = local?.split(":") ?? [];
      if (state !== LISTEN_STATE || inode === undefined || address === undefined) continue;
      if (Number.parseInt(hexPort ?? "", 16) === port)
        sockets.set(inode, { address: shownAddress(address, family), uid });
    }
  }
  if (sockets.size === 0) return [];
  const [owners, names] = await Promise.all([
    socketOwners(new Set(sockets.keys())),
    readFile("/etc/passwd", "utf8").catch(() => ""),
  ]);
  return Promise.all(
    [...sockets].map(async ([inode, { address, uid }]) => {
      const pid = owners.get(inode);
      const holder = { address, ...(uid === undefined ? {} : { user: userName(uid, names) }) };
      return pid === undefined ? holder : { ...holder, pid, ...(await commandOf(pid)) };
    }),
  );
}

/** The name of a user by the lines of `/etc/passwd`, else the number. */
function userName(uid: string, passwd: string): string {
  const entry = passwd.split("\n").find((line) => line.split(":")[2] === uid);
  return entry?.split(":", 1)[0] ?? uid;
}

async function socketOwners(inodes: ReadonlySet<string>): Promise<Map<string, number>> {
  const owners = new Map<string, number>();
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  for (const pid of processes) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) owners.set(inode, Number(pid));
    }
    if (owners.size === inodes.size) break;
  }
  return owners;
}

async function commandOf(pid: number): Promise<Pick<PortHolder, "command" | "commandLine">> {
  const [command, commandLine] = await Promise.all([
    readFile(`/proc/${pid}/comm`, "utf8").catch(() => ""),
    readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
  ]);
  return {
    ...(command === "" ? {} : { command: command.trim() }),
    ...(commandLine === "" ? {} : { commandLine: withoutSecrets(commandLine.split("\0")) }),
  };
}

/** Someone may have put a secret on that command line; it does not travel further. */
function withoutSecrets(argv: readonly string[]): string {
  return argv
    .map((word, index) => {
      if (/^--?(token|password)$/.test(argv[index - 1] ?? "")) return "…";
      return word.replace(/^(--?(?:token|password)=).*/s, "$1…");
    })
    .join(" ")
    .trim();
}

function shownAddress(hex: string, family: 4 | 6): string {
  if (family === 4) {
    // /proc writes the address as one little-endian number.
    const bytes = hex.match(/../g)?.toReversed() ?? [];
    return bytes.map((byte) => Number.parseInt(byte, 16)).join(".");
  }
  if (/^0+$/.test(hex)) return "::";
  return hex === "00000000000000000000000001000000" ? "::1" : `[${hex.toLowerCase()}]`;
}

function holdersFromLsof(port: number): Promise<PortHolder[]> {
  const argv = ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-FpcLn"];
  return new Promise((resolve) => {
    execFile("lsof", argv, { timeout: LSOF_TIMEOUT_MS }, (_error, output) => {
      // lsof exits with 1 when nobody listens, so the output alone counts.
      const holders: PortHolder[] = [];
      let pid: number | undefined;
      let command: string | undefined;
      let user: string | undefined;
      for (const line of output.split("\n")) {
        const value = line.slice(1);
        if (line.startsWith("p")) {
          pid = Number(value);
          user = undefined;
        } else if (line.startsWith("L")) user = value;
        else if (line.startsWith("c")) command = value;
        else if (line.startsWith("n")) {
          holders.push({
            address: value.replace(/:\d+$/, ""),
            ...(pid === undefined ? {} : { pid }),
            ...(command === undefined ? {} : { command }),
            ...(user === undefined ? {} : { user }),
          });
        }
      }
      resolve(holders);
    });
  });
}
