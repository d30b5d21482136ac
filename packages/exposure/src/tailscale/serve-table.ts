import { isDeepStrictEqual } from "node:util";
import { isObject } from "./json-in-noise.ts";

/** The port of a machine's tailnet name that we serve on: that of `https://` and of `wss://`. */
export const SERVE_PORT = 443;

/** The path that we serve: all of it. */
export const SERVE_MOUNT = "/";

/** Serve reaches the tailnet, Funnel the whole internet. */
export type ExposureMode = "serve" | "funnel";

/** The one route that is ours: `https://<host>/` to `target`. */
export interface Route {
  readonly mode: ExposureMode;
  /** The machine's name in the tailnet, without a dot at its end. */
  readonly host: string;
  /** Where requests go, as the tool writes it: `http://127.0.0.1:18789`. */
  readonly target: string;
}

/** What is served on this machine, as `tailscale serve status --json` prints it. Unknown parts are kept. */
export type ServeTable = Readonly<Record<string, unknown>>;

/** What stands where our route is to be. */
export type Occupation =
  /** Nothing hinders. */
  | { readonly kind: "free" }
  /** Our route, exactly. */
  | { readonly kind: "same" }
  /** Something else; `by` says what, for people. */
  | { readonly kind: "taken"; readonly by: string };

/** Whether the table has exactly this route: the port, the one handler, and Funnel as it should be. */
export function hasRoute(table: ServeTable, route: Route): boolean {
  return (
    isDeepStrictEqual(part(table, "TCP")[SERVE_PORT], { HTTPS: true }) &&
    isHandlerOf(rootHandler(table, route.host), route) &&
    isPublic(table, route.host) === (route.mode === "funnel")
  );
}

/**
 * What stands where a route is to be, when our own `former` routes are not counted. Adding ours must leave
 * every other entry as it is, now and when ours goes again; so one that shares our port is in the way when
 * it would change between tailnet and internet with ours, or lose the port with it.
 */
export function occupation(
  table: ServeTable,
  route: Route,
  former: readonly Route[] = [],
): Occupation {
  if (hasRoute(table, route)) return { kind: "same" };
  const ours = former.find((one) => one.host === route.host && hasRoute(table, one));
  const rest = ours === undefined ? table : withoutRoute(table, ours);
  const by =
    foregroundHolder(rest) ??
    portHolder(rest) ??
    rootHolder(rest, route) ??
    otherHostHolder(rest, route) ??
    funnelHolder(rest, route);
  return by === undefined ? { kind: "free" } : { kind: "taken", by };
}

/** The table without our route, and without what a route brings along when it is the only one of its port. */
export function withoutRoute(table: ServeTable, { host }: Pick<Route, "host">): ServeTable {
  const hostPort = `${host}:${SERVE_PORT}`;
  const web = part(table, "Web");
  const { [SERVE_MOUNT]: _ours, ...handlers } = handlersOf(table, host);
  const isLast = Object.keys(handlers).length === 0;
  const isLastOfPort = isLast && Object.keys(web).every((one) => one === hostPort || !onPort(one));
  return compact({
    ...table,
    Web: isLast
      ? without(web, hostPort)
      : { ...web, [hostPort]: { ...objectAt(web, hostPort), Handlers: handlers } },
    TCP: isLastOfPort ? without(part(table, "TCP"), String(SERVE_PORT)) : part(table, "TCP"),
    AllowFunnel: isLast
      ? without(part(table, "AllowFunnel"), hostPort)
      : part(table, "AllowFunnel"),
  });
}

/** How many handlers share our port on this host, ours included. */
export function mountCount(table: ServeTable, host: string): number {
  return Object.keys(handlersOf(table, host)).length;
}

/** Whether both serve the same; the order of keys, and empty parts, mean nothing. */
export function isSameTable(one: ServeTable, other: ServeTable): boolean {
  return isDeepStrictEqual(compact(one), compact(other));
}

/** Whether nothing is served. */
export function isEmptyTable(table: ServeTable): boolean {
  return Object.keys(compact(table)).length === 0;
}

/** What the root of the host's port serves, for people. */
export function describeRoot(table: ServeTable, host: string): string {
  const handler = rootHandler(table, host);
  const what = handler === undefined ? "nothing" : describeHandler(handler);
  return isPublic(table, host) ? `${what}, on the internet` : what;
}

function foregroundHolder(table: ServeTable): string | undefined {
  const sessions = Object.values(part(table, "Foreground")).filter(isObject);
  const holder = sessions.find((session) => SERVE_PORT in part(session, "TCP"));
  return holder && `a "tailscale serve" or "tailscale funnel" that runs in a terminal`;
}

function portHolder(table: ServeTable): string | undefined {
  const entry = part(table, "TCP")[SERVE_PORT];
  if (entry === undefined || isDeepStrictEqual(entry, { HTTPS: true })) return undefined;
  const forward = isObject(entry) ? entry["TCPForward"] : undefined;
  return typeof forward === "string"
    ? `a TCP forward to ${forward}`
    : `something else than HTTPS on port ${SERVE_PORT}`;
}

function rootHolder(table: ServeTable, { host }: Route): string | undefined {
  const handler = rootHandler(table, host);
  return handler === undefined ? undefined : `a route of its own: ${describeHandler(handler)}`;
}

function otherHostHolder(table: ServeTable, { host }: Route): string | undefined {
  const hostPort = `${host}:${SERVE_PORT}`;
  const other = Object.keys(part(table, "Web")).find((one) => one !== hostPort && onPort(one));
  return other && `routes of another name of this machine, ${other}`;
}

/** Funnel belongs to the port as a whole: ours would pull other mounts along, onto the internet or off it. */
function funnelHolder(table: ServeTable, { host, mode }: Route): string | undefined {
  const mounts = Object.keys(handlersOf(table, host));
  const isFunnel = isPublic(table, host);
  const isEntered = `${host}:${SERVE_PORT}` in part(table, "AllowFunnel");
  if (mode === "serve" && isEntered) return "a Funnel, which serving there would turn off";
  if (mode === "funnel" && mounts.length > 0 && !isFunnel) {
    return `${mounts.join(", ")}, which Funnel would put on the internet too`;
  }
  if (mode === "funnel" && mounts.length === 0 && isEntered) return "a Funnel without a route";
  return undefined;
}

function isHandlerOf(handler: unknown, { target }: Route): boolean {
  if (!isObject(handler) || Object.keys(handler).length !== 1) return false;
  const proxy = handler["Proxy"];
  return typeof proxy === "string" && normalTarget(proxy) === normalTarget(target);
}

/** Versions differ in how they write the same address. */
function normalTarget(target: string): string {
  return target.replace(/^([a-z+]+:\/\/)localhost(?=[:/]|$)/u, "$1127.0.0.1").replace(/\/$/u, "");
}

function rootHandler(table: ServeTable, host: string): unknown {
  return handlersOf(table, host)[SERVE_MOUNT];
}

function handlersOf(table: ServeTable, host: string): Readonly<Record<string, unknown>> {
  return part(objectAt(part(table, "Web"), `${host}:${SERVE_PORT}`), "Handlers");
}

function isPublic(table: ServeTable, host: string): boolean {
  return part(table, "AllowFunnel")[`${host}:${SERVE_PORT}`] === true;
}

function describeHandler(handler: unknown): string {
  if (isObject(handler)) {
    for (const kind of ["Proxy", "Path"] as const) {
      const value = handler[kind];
      if (typeof value === "string") return `${kind.toLowerCase()} ${value}`;
    }
    if ("Text" in handler) return "a text";
  }
  return "something that this version does not know";
}

function onPort(hostPort: string): boolean {
  return hostPort.endsWith(`:${SERVE_PORT}`);
}

function part(table: Readonly<Record<string, unknown>>, name: string): ServeTable {
  return objectAt(table, name);
}

function objectAt(record: Readonly<Record<string, unknown>>, key: string): ServeTable {
  const value = record[key];
  return isObject(value) ? value : {};
}

function without(record: ServeTable, key: string): ServeTable {
  const { [key]: _dropped, ...rest } = record;
  return rest;
}

/** Without parts that are null or empty. */
function compact(table: ServeTable): ServeTable {
  const isMeant = (value: unknown): boolean =>
    value !== null && !(isObject(value) && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(table).filter(([, value]) => isMeant(value)));
}
