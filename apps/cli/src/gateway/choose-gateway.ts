import { existsSync } from "node:fs";
import { checkGatewayUrl } from "@openclaw/client";
import {
  type Credentials,
  GatewayCredentialsError,
  type GatewayTarget,
  type LooseConfig,
  readConfigLoosely,
  resolveCredentials,
  resolveGatewayTarget,
} from "@openclaw/config";
import { readRunToken } from "@openclaw/gateway/run-token";
import { CliError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";

/** The Gateway that a command talks to, and what it presents there. */
export interface ChosenGateway {
  readonly target: GatewayTarget;
  readonly credentials: Credentials;
  readonly loose: LooseConfig;
}

export interface ChooseOptions {
  /** Remote mode without a URL goes to the local Gateway, as diagnostics do. @default false */
  fallBackToLocal?: boolean;
}

/** Reads the config without the schema: commands that only ask must be quick and never picky. */
export async function readConfig({ paths, env }: CommandContext): Promise<LooseConfig> {
  const path = paths.configPath;
  // Most machines that only use a Gateway have no file, and need not load what reads one.
  if (existsSync(path)) return readConfigLoosely({ path, env });
  return { path, exists: false, config: {}, env, unresolved: [], warnings: [] };
}

/**
 * Chooses Gateway and credentials by the flags, the environment and the config.
 *
 * @throws {CliError} before anything is sent
 */
export async function chooseGateway(
  context: CommandContext,
  { fallBackToLocal = false }: ChooseOptions = {},
): Promise<ChosenGateway> {
  const loose = await readConfig(context);
  const { configPath } = context.paths;
  const target = resolveGatewayTarget({
    flags: { url: context.text("url"), port: context.text("port") },
    env: loose.env,
    config: loose.config,
    unresolved: loose.unresolved,
    configPath,
    fallBackToLocal,
  });
  return { target, credentials: credentialsFor(context, target, loose), loose };
}

/** @throws {CliError} `gateway_credentials_required` */
export function credentialsFor(
  context: CommandContext,
  target: GatewayTarget,
  loose: LooseConfig,
): Credentials {
  try {
    const credentials = resolveCredentials({
      flags: { token: context.text("token"), password: context.text("password") },
      env: loose.env,
      config: loose.config,
      unresolved: loose.unresolved,
      target,
      configPath: context.paths.configPath,
    });
    return withRunToken(credentials, target, context.paths.stateDir);
  } catch (error) {
    if (!(error instanceof GatewayCredentialsError)) throw error;
    throw new CliError("gateway_credentials_required", error.message, {
      hints: [error.hint, `Config: ${context.paths.configPath}`],
      siblings: gatewaySibling(target),
      cause: error,
    });
  }
}

/** What stands beside `error` in the envelope. */
export function gatewaySibling(target: GatewayTarget): {
  gateway: { url: string; urlSource: string };
} {
  return { gateway: { url: target.url, urlSource: target.urlSource } };
}

/** Whether a URL leads to this machine, directly or through a tunnel. */
export function isLoopbackUrl(url: string): boolean {
  const checked = checkGatewayUrl(url, { allowInsecure: true });
  return checked.ok && checked.address.isLoopback;
}

/** The certificate that the config pins for its remote Gateway; a pin never travels to another URL. */
export function tlsFingerprintFor(
  target: GatewayTarget,
  { config }: LooseConfig,
): string | undefined {
  if (target.kind !== "remote") return undefined;
  const gateway = config["gateway"] as { remote?: { tlsFingerprint?: unknown } } | undefined;
  const fingerprint = gateway?.remote?.tlsFingerprint;
  return typeof fingerprint === "string" && fingerprint !== "" ? fingerprint : undefined;
}

/** Last of all sources: what a Gateway on this host left for us, which it had started without a secret. */
function withRunToken(
  credentials: Credentials,
  target: GatewayTarget,
  stateDir: string,
): Credentials {
  if (credentials.token !== undefined || credentials.password !== undefined) return credentials;
  const isOwn = target.kind === "local" || target.kind === "port-flag";
  if (!isOwn || !isLoopbackUrl(target.url)) return credentials;
  const token = readRunToken(stateDir, Number(new URL(target.url).port));
  if (token === undefined) return credentials;
  return { ...credentials, token, sources: { token: "the local Gateway's run token" } };
}
