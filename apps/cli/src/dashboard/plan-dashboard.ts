import { asObject, portOf } from "@openclaw/app-kit";
import type { GatewayTarget, SshRoute } from "@openclaw/config";
import { parseSshAddress } from "@openclaw/config";
import { isOverSsh } from "./open-browser.ts";

export interface DashboardQuestion {
  readonly target: GatewayTarget;
  readonly config: object;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Login name and host name of this machine, for a line to type elsewhere. */
  readonly user: string;
  readonly host: string;
}

/** Where the page is, and how to get there. */
export interface DashboardPlan {
  readonly httpUrl: string;
  readonly wsUrl: string;
  readonly port: number;
  /** Makes the page reachable where the browser is; absent where it is so already. */
  readonly sshLine: string | undefined;
  /** Where that line is to be typed. */
  readonly sshWhere: "here" | "at your own machine" | undefined;
}

/**
 * The page's address. No credential is ever part of it: a link ends up in histories, logs and chats,
 * and the page asks for what it needs.
 */
export function planDashboard(question: DashboardQuestion): DashboardPlan {
  const { target, config, env } = question;
  const wsUrl = new URL(target.url);
  const page = new URL(target.url);
  page.protocol = wsUrl.protocol === "wss:" ? "https:" : "http:";
  page.username = "";
  page.password = "";
  page.search = "";
  page.hash = "";
  // A remote Gateway keeps its base path to itself; what its URL has may be that of a proxy.
  const basePath = target.kind === "local" ? basePathOf(config) : wsUrl.pathname;
  page.pathname = `${basePath.replace(/\/+$/, "")}/`;
  const port = portOf(target.url);
  const httpUrl = page.href;
  const shown = { httpUrl, wsUrl: `${wsUrl.protocol}//${wsUrl.host}`, port };
  if (target.via !== undefined) {
    return { ...shown, sshLine: forwardLine(port, loginOf(target.via)), sshWhere: "here" };
  }
  if (!isOverSsh(env) || !isLoopback(wsUrl.hostname)) {
    return { ...shown, sshLine: undefined, sshWhere: undefined };
  }
  const login = ownLogin(question);
  return { ...shown, sshLine: forwardLine(port, login), sshWhere: "at your own machine" };
}

/** With a leading slash and without a trailing one; empty for the root. */
export function basePathOf(config: object): string {
  const gateway = asObject((config as Record<string, unknown>)["gateway"]);
  const basePath = asObject(gateway["controlUi"])["basePath"];
  if (typeof basePath !== "string") return "";
  const trimmed = basePath.trim().replaceAll(/^\/+|\/+$/g, "");
  return trimmed === "" ? "" : `/${trimmed}`;
}

interface Login {
  readonly destination: string;
  readonly port: number | undefined;
  readonly identity?: string | undefined;
}

function loginOf({ target, identity }: SshRoute): Login {
  const parsed = parseSshAddress(target);
  if (!parsed.ok) return { destination: target, port: undefined, identity };
  const { user, host, port } = parsed.address;
  return { destination: user === undefined ? host : `${user}@${host}`, port, identity };
}

/** As the client of this SSH session would call this machine. */
function ownLogin({ env, user, host }: DashboardQuestion): Login {
  const [, , address = host, port] = (env["SSH_CONNECTION"] ?? "").split(" ");
  return {
    destination: `${user}@${address === "" ? host : address}`,
    port: port === undefined ? undefined : Number(port),
  };
}

function forwardLine(port: number, { destination, port: sshPort, identity }: Login): string {
  return [
    "ssh -N -L",
    `${port}:127.0.0.1:${port}`,
    ...(sshPort === undefined || sshPort === 22 ? [] : ["-p", String(sshPort)]),
    ...(identity === undefined ? [] : ["-i", quoted(identity)]),
    quoted(destination),
  ].join(" ");
}

/** One word of a shell. */
function quoted(word: string): string {
  return /^[\w@.:%+=,/~-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}
