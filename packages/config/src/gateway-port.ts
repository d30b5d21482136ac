import { ConfigError } from "./config-error.ts";
import { readEnv, type Env } from "./env.ts";
import { valueAt } from "./json.ts";

/** Port of a Gateway when nothing else is said. */
export const DEFAULT_PORT = 18_789;

/** A port and where it came from. */
export interface GatewayPort {
  port: number;
  /** `--port`, the variable's name, `gateway.port` or `default`. */
  source: string;
}

/** Options of {@link resolveGatewayPort}. */
export interface GatewayPortOptions {
  /** `--port`, as typed. */
  flag?: number | string | undefined;
  env: Env;
  config: object;
}

/**
 * `--port`, then `OPENCLAW_GATEWAY_PORT` (ignored unless it is a port), then `gateway.port`, then
 * {@link DEFAULT_PORT}.
 *
 * @throws {@link ConfigError} `INVALID_PORT` for a flag that is no integer from 1 to 65535.
 */
export function resolveGatewayPort({ flag, env, config }: GatewayPortOptions): GatewayPort {
  if (flag !== undefined) {
    const port = parsePort(flag);
    if (port === undefined) {
      throw new ConfigError(
        "INVALID_PORT",
        `--port wants an integer from 1 to 65535, not ${JSON.stringify(flag)}.`,
      );
    }
    return { port, source: "--port" };
  }
  const variable = readEnv(env, "OPENCLAW_GATEWAY_PORT");
  const fromEnv = parsePort(variable?.value);
  if (variable !== undefined && fromEnv !== undefined) {
    return { port: fromEnv, source: variable.name };
  }
  const fromConfig = valueAt(config, "gateway.port");
  const port = typeof fromConfig === "number" ? parsePort(fromConfig) : undefined;
  return port === undefined
    ? { port: DEFAULT_PORT, source: "default" }
    : { port, source: "gateway.port" };
}

function parsePort(value: number | string | undefined): number | undefined {
  if (typeof value === "string" && !/^\d{1,5}$/u.test(value.trim())) return undefined;
  const port = Number(value);
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
}
