import { safeText } from "@openclaw/app-kit";
import type { Style } from "../output/style.ts";
import { ago, duration } from "../output/time.ts";

/** What `health` answers, as far as it is shown; every member may be missing at another release. */
export interface HealthReport {
  ok?: boolean;
  ts?: number;
  durationMs?: number;
  channels?: Record<string, ChannelHealth>;
  channelOrder?: string[];
  channelLabels?: Record<string, string>;
  defaultAgentId?: string;
  agents?: {
    agentId?: string;
    isDefault?: boolean;
    heartbeat?: { enabled?: boolean; every?: string };
  }[];
  sessions?: {
    path?: string;
    count?: number;
    recent?: { key?: string; updatedAt?: number | null }[];
  };
}

export interface ChannelHealth {
  configured?: boolean;
  linked?: boolean;
  authAgeMs?: number | null;
  probe?: {
    ok?: boolean;
    elapsedMs?: number;
    status?: number | null;
    error?: string | null;
    bot?: { username?: string };
  } | null;
}

export interface HealthViewOptions {
  style: Style;
  nowMs: number;
  /** The Gateway asked for a credential and took ours. */
  isAuthenticated: boolean;
}

export function healthLines(report: HealthReport, options: HealthViewOptions): string[] {
  const { style, isAuthenticated } = options;
  const channels = channelsOf(report);
  const configured = channels.filter(({ health }) => health.configured !== false);
  return [
    report.ok === false
      ? style.bad("❌ Gateway is not healthy")
      : style.good("✅ Gateway is healthy"),
    ...(isAuthenticated ? [style.good("✅ Authenticated successfully")] : []),
    ...(configured.length === 0
      ? []
      : [
          style.good(
            `✅ Channels: ${configured.map(({ id, health }) => `${id} (${shortState(health)})`).join(", ")}`,
          ),
        ]),
    ...channels.map(({ label, health }) => `${label}: ${longState(health)}`),
    ...agentLines(report, options.nowMs),
  ];
}

/** One line a channel, without the headlines. */
export function channelLines(report: HealthReport): string[] {
  return channelsOf(report).map(({ label, health }) => `${label}: ${longState(health)}`);
}

function channelsOf(report: HealthReport): { id: string; label: string; health: ChannelHealth }[] {
  const channels = report.channels ?? {};
  const order = report.channelOrder ?? Object.keys(channels);
  return order.flatMap((id) => {
    const health = channels[id];
    if (health === undefined) return [];
    return [{ id: safeText(id), label: safeText(report.channelLabels?.[id] ?? id), health }];
  });
}

function shortState({ configured, linked, probe }: ChannelHealth): string {
  if (probe?.ok === true) return "connected";
  if (typeof probe?.error === "string") return `error: ${safeText(probe.error)}`;
  if (linked === true) return "linked";
  if (linked === false) return "not linked";
  return configured === true ? "configured" : "unknown";
}

function longState(health: ChannelHealth): string {
  const { configured, linked, authAgeMs, probe } = health;
  if (probe?.ok === true) {
    const bot = probe.bot?.username === undefined ? "" : ` (@${safeText(probe.bot.username)})`;
    return `ok${bot}${probe.elapsedMs === undefined ? "" : ` (${probe.elapsedMs}ms)`}`;
  }
  if (probe?.ok === false)
    return `failed (${probe.status ?? "unknown"}) - ${safeText(probe.error ?? "no reason")}`;
  if (linked === true)
    return `linked${typeof authAgeMs === "number" ? ` (auth age ${duration(authAgeMs)})` : ""}`;
  if (linked === false) return "not linked";
  if (configured === true) return "configured";
  return configured === false ? "not configured" : "unknown";
}

function agentLines(report: HealthReport, nowMs: number): string[] {
  const agents = report.agents ?? [];
  const lines: string[] = [];
  if (agents.length > 0) {
    const names = agents.map(
      ({ agentId, isDefault }) => `${safeText(agentId)}${isDefault === true ? " (default)" : ""}`,
    );
    lines.push(`Agents: ${names.join(", ")}`);
  }
  const main = agents.find(({ isDefault }) => isDefault) ?? agents[0];
  if (main?.heartbeat?.enabled === true) {
    lines.push(`Heartbeat interval: ${safeText(main.heartbeat.every)} (${safeText(main.agentId)})`);
  }
  const { path, count = 0, recent = [] } = report.sessions ?? {};
  if (path !== undefined && path !== "") {
    const agent = safeText(main?.agentId ?? report.defaultAgentId ?? "main");
    lines.push(`Session store (${agent}): ${safeText(path)} (${count} entries)`);
  }
  for (const { key, updatedAt } of recent.slice(0, 5)) {
    lines.push(
      `- ${safeText(key)}${typeof updatedAt === "number" ? ` (${ago(updatedAt, nowMs)})` : ""}`,
    );
  }
  return lines;
}
