import { configProblem } from "@openclaw/app-kit";
import { type ConfigIssue, loadConfig } from "@openclaw/config";
import type { CommandContext } from "../program/command-context.ts";

/** What diagnostics say about the config file; secrets are only counted. */
export interface ConfigSummary {
  path: string;
  exists: boolean;
  valid: boolean;
  issues: { path: string; message: string }[];
  gateway: {
    mode: string | null;
    bind: string;
    port: number | null;
    authMode: string | null;
    authTokenConfigured: boolean;
    authPasswordConfigured: boolean;
    remoteUrl: string | null;
    remoteTokenConfigured: boolean;
    remotePasswordConfigured: boolean;
    tailscaleMode: string;
  };
}

/** Reads and checks the config file; a broken one is described, never refused. */
export async function summariseConfig({ paths, env }: CommandContext): Promise<ConfigSummary> {
  const loaded = await loadConfig({ path: paths.configPath, env });
  const gateway = loaded.ok ? (loaded.config.gateway ?? {}) : {};
  return {
    path: paths.configPath,
    exists: loaded.ok ? loaded.exists : true,
    valid: loaded.ok,
    issues: loaded.ok ? [] : loaded.issues.map((issue) => plainIssue(issue)),
    gateway: {
      mode: gateway.mode ?? null,
      bind: gateway.bind ?? "loopback",
      port: gateway.port ?? null,
      authMode: gateway.auth?.mode ?? null,
      authTokenConfigured: gateway.auth?.token !== undefined,
      authPasswordConfigured: gateway.auth?.password !== undefined,
      remoteUrl: gateway.remote?.url ?? null,
      remoteTokenConfigured: gateway.remote?.token !== undefined,
      remotePasswordConfigured: gateway.remote?.password !== undefined,
      tailscaleMode: gateway.tailscale?.mode ?? "off",
    },
  };
}

/** The key, what is wrong with it, and where that is written. */
function plainIssue(issue: ConfigIssue): { path: string; message: string } {
  return { path: issue.path, message: configProblem(issue) };
}
