/** What `tailscale serve status --json` prints, as far as it is used here; unknown parts are kept. */
export interface ServeTable {
  TCP?: Record<string, { HTTPS?: boolean; HTTP?: boolean; TCPForward?: string }>;
  Web?: Record<string, { Handlers: Record<string, ServeHandler> }>;
  AllowFunnel?: Record<string, boolean>;
  Foreground?: Record<string, ServeTable>;
  Services?: Record<string, unknown>;
}

/** One mount point: one of the three. */
export interface ServeHandler {
  Proxy?: string;
  Path?: string;
  Text?: string;
}

/** Where a handler is mounted. */
export interface ServeMount {
  host: string;
  port: number;
  mount: string;
}

/**
 * Serves a handler over HTTPS, and puts the whole port on Funnel or takes it off, as the real program
 * does: what is mounted there already is replaced without a question.
 */
export function mountHandler(
  table: ServeTable,
  { host, port, mount }: ServeMount,
  handler: ServeHandler,
  isFunnel: boolean,
): void {
  const hostPort = `${host}:${port}`;
  table.TCP = { ...table.TCP, [port]: { HTTPS: true } };
  const handlers = { ...table.Web?.[hostPort]?.Handlers, [mount]: handler };
  table.Web = { ...table.Web, [hostPort]: { Handlers: handlers } };
  if (isFunnel) table.AllowFunnel = { ...table.AllowFunnel, [hostPort]: true };
  else delete table.AllowFunnel?.[hostPort];
  dropEmptyParts(table);
}

/**
 * Removes one mount, or all of the port without `mount`; with the last one go the port and its Funnel.
 * False when there is none.
 */
export function removeMounts(
  table: ServeTable,
  { host, port, mount }: Omit<ServeMount, "mount"> & { mount: string | undefined },
): boolean {
  const hostPort = `${host}:${port}`;
  const handlers = table.Web?.[hostPort]?.Handlers ?? {};
  const mounts = Object.keys(handlers).filter((at) => mount === undefined || at === mount);
  if (mounts.length === 0) return false;
  for (const at of mounts) delete handlers[at];
  if (Object.keys(handlers).length === 0) {
    delete table.Web?.[hostPort];
    delete table.TCP?.[port];
    delete table.AllowFunnel?.[hostPort];
  }
  dropEmptyParts(table);
  return true;
}

/** How many mounts a port has. */
export function countMounts(table: ServeTable, { host, port }: Omit<ServeMount, "mount">): number {
  return Object.keys(table.Web?.[`${host}:${port}`]?.Handlers ?? {}).length;
}

function dropEmptyParts(table: ServeTable): void {
  for (const part of ["TCP", "Web", "AllowFunnel"] as const) {
    if (table[part] !== undefined && Object.keys(table[part]).length === 0) delete table[part];
  }
}
