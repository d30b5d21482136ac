import { readdir, readFile, readlink } from "node:fs/promises";
import type { Listening } from "./listening.ts";

const LISTEN_STATE = "0A";

/**
 * Who listens on a TCP port, from `/proc`. Processes of other users show their sockets and nothing
 * else; those appear without a pid.
 */
export async function listenersFromProc(port: number): Promise<Listening[]> {
  const tables = await Promise.all([
    readText("/proc/net/tcp").then((text) => listeningSockets(text, port)),
    readText("/proc/net/tcp6").then((text) => listeningSockets(text, port)),
  ]);
  const sockets = tables.flat();
  if (sockets.length === 0) return [];
  const owners = await socketOwners(new Set(sockets.map(({ inode }) => inode)));
  return Promise.all(
    sockets.map(async ({ address, inode }) => {
      const pid = owners.get(inode);
      return pid === undefined ? { address } : { address, pid, ...(await processOf(pid)) };
    }),
  );
}

/** The rows of a `/proc/net/tcp` or `tcp6` that listen on `port`. */
export function listeningSockets(
  table: string,
  port: number,
): readonly { readonly address: string; readonly inode: string }[] {
  const sockets = [];
  for (const line of table.split("\n").slice(1)) {
    const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/u);
    const [hexAddress = "", hexPort = ""] = local.split(":");
    if (state !== LISTEN_STATE || inode === undefined) continue;
    if (Number.parseInt(hexPort, 16) === port) {
      sockets.push({ address: readableAddress(hexAddress), inode });
    }
  }
  return sockets;
}

/** The kernel writes an address as numbers of 32 bits in the byte order of the machine. */
function readableAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/gu) ?? []).flatMap((word) =>
    (word.match(/../gu) ?? []).toReversed().map((byte) => Number.parseInt(byte, 16)),
  );
  if (bytes.length === 4) return bytes.join(".");
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff;
  if (mapped) return bytes.slice(12).join(".");
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

async function socketOwners(inodes: ReadonlySet<string>): Promise<Map<string, number>> {
  const owners = new Map<string, number>();
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/u.test(name));
  for (const pid of pids) {
    // One process after the other: a machine may run thousands.
    // oxlint-disable-next-line no-await-in-loop
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    // oxlint-disable-next-line no-await-in-loop
    const targets = await Promise.all(
      descriptors.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => "")),
    );
    for (const target of targets) {
      const inode = /^socket:\[(\d+)\]$/u.exec(target)?.[1];
      // A child that inherited the socket comes later and has the higher number.
      if (inode !== undefined && inodes.has(inode) && !owners.has(inode)) {
        owners.set(inode, Number(pid));
      }
    }
    if (owners.size === inodes.size) break;
  }
  return owners;
}

async function processOf(pid: number): Promise<Pick<Listening, "program" | "argv">> {
  const [name, words] = await Promise.all([
    readText(`/proc/${pid}/comm`),
    readText(`/proc/${pid}/cmdline`),
  ]);
  const argv = words.replace(/\0+$/u, "").split("\0");
  return {
    ...(name === "" ? {} : { program: name.trim() }),
    ...(words === "" ? {} : { argv }),
  };
}

function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
