import { messageOf } from "@openclaw/app-kit";
import type { CommandContext } from "../program/command-context.ts";
import { CliError } from "../errors.ts";
import type { ChosenGateway } from "./choose-gateway.ts";
import type { HealthReport } from "./health-view.ts";
import { type GatewaySession, withGateway } from "./session.ts";

/** What a look at one Gateway found; a failure is a finding. */
export interface ProbeResult {
  readonly ok: boolean;
  readonly latencyMs: number | undefined;
  /** Short, one line. */
  readonly error: string | undefined;
  readonly failure: CliError | undefined;
  readonly server:
    | {
        version?: string | undefined;
        connId?: string | undefined;
        /** Of the process, where the Gateway tells it. */
        bootId?: string | undefined;
      }
    | undefined;
  readonly auth: { role?: string | undefined; scopes?: readonly string[] | undefined } | undefined;
  readonly protocol: number | undefined;
  readonly health: HealthReport | undefined;
  readonly healthError: string | undefined;
  readonly presence: PresenceLike[] | undefined;
  readonly summary: unknown;
  readonly nodes: { known: number; connected: number } | undefined;
  /** What carried the connection, where it went over SSH. */
  readonly engine: string | undefined;
}

interface PresenceLike {
  host?: string;
  ip?: string;
  version?: string;
  platform?: string;
  reason?: string;
  mode?: string;
}

export interface ProbeOptions {
  timeoutMs: number;
  /** Asks for health, presence, status and nodes too. @default connect only */
  detail?: boolean;
  /** Asks channels as well. */
  deep?: boolean;
}

const NOTHING = {
  latencyMs: undefined,
  server: undefined,
  auth: undefined,
  protocol: undefined,
  health: undefined,
  healthError: undefined,
  presence: undefined,
  summary: undefined,
  nodes: undefined,
  engine: undefined,
} as const;

/** Connects as a probe: no identity is made, no pairing asked for. Never throws. */
export async function probeGateway(
  context: CommandContext,
  gateway: ChosenGateway,
  options: ProbeOptions,
): Promise<ProbeResult> {
  const { timeoutMs } = options;
  try {
    const session = { scopes: ["operator.read"], isProbe: true, timeoutMs, gateway };
    return await withGateway(context, session, (open) => look(open, options));
  } catch (error) {
    const message = messageOf(error);
    const failure = error instanceof CliError ? error : undefined;
    return { ...NOTHING, ok: false, error: message, failure };
  }
}

async function look(session: GatewaySession, options: ProbeOptions): Promise<ProbeResult> {
  const { hello } = session.client;
  const base = {
    ...NOTHING,
    ok: true,
    error: undefined,
    failure: undefined,
    latencyMs: session.connectLatencyMs,
    server: hello?.server,
    auth: hello?.auth,
    protocol: hello?.protocol,
    engine: session.engine,
  };
  if (options.detail !== true) return base;
  let healthError: string | undefined;
  // Each may be refused to a probe that has not the right; what is allowed is still worth showing.
  const ask = <T>(method: string, params: object = {}): Promise<T | undefined> =>
    session.request<T>(method, params).catch((error: unknown) => {
      if (method === "health") healthError = messageOf(error);
      return undefined;
    });
  const [health, presence, summary, list] = await Promise.all([
    ask<HealthReport>("health", options.deep === true ? { probe: true } : {}),
    ask<PresenceLike[]>("system-presence"),
    ask<unknown>("status"),
    ask<{ nodes?: { connected?: boolean }[] }>("node.list"),
  ]);
  const nodes = list?.nodes;
  return {
    ...base,
    health,
    healthError,
    presence: Array.isArray(presence) ? presence : undefined,
    summary,
    nodes:
      nodes === undefined
        ? undefined
        : {
            known: nodes.length,
            connected: nodes.filter((node) => node.connected === true).length,
          },
  };
}

/** What the Gateway may do for us with the scopes it granted. */
export function capabilityOf(result: ProbeResult): string {
  if (!result.ok)
    return result.failure?.type === "gateway_pairing_required" ? "pairing_pending" : "unknown";
  const scopes = result.auth?.scopes ?? [];
  if (scopes.includes("operator.admin")) return "admin_capable";
  if (scopes.includes("operator.write")) return "write_capable";
  if (scopes.includes("operator.read")) return "read_only";
  return "connected_no_operator_scope";
}
