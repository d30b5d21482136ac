import { existsSync } from "node:fs";
import { certificatePlace, findRunToken, withOwnPin } from "@openclaw/app-kit";
import {
  type Credentials,
  GatewayCredentialsError,
  type GatewayTarget,
  isLoopbackHost,
  type LooseConfig,
  readConfigLoosely,
  resolveCredentials,
  resolveGatewayTarget,
} from "@openclaw/config";
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
  return { path, exists: false, config: {}, env, unresolved: [], warnings: [], includes: [] };
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
  const chosen = resolveGatewayTarget({
    flags: {
      url: context.text("url"),
      port: context.text("port"),
      tlsFingerprint: context.list("tls-fingerprint"),
    },
    env: loose.env,
    config: loose.config,
    unresolved: loose.unresolved,
    configPath,
    fallBackToLocal,
  });
  const target = await withOwnPin(chosen, certificatePlace(context.paths, loose.config));
  return { target, credentials: credentialsFor(context, target, loose), loose };
}

/** @throws {CliError} `gateway_credentials_required` */
export function credentialsFor(
  context: CommandContext,
  target: GatewayTarget,
  loose: LooseConfig,
): Credentials {
  try {
    return resolveCredentials({
      flags: { token: context.text("token"), password: context.text("password") },
      env: loose.env,
      config: loose.config,
      unresolved: loose.unresolved,
      target,
      runToken: findRunToken(context.paths.stateDir, target),
      configPath: context.paths.configPath,
    });
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
  gateway: { url: string; urlSource: string } & ViaFields;
} {
  const { url, urlSource } = target;
  return { gateway: { url, urlSource, ...viaFields(target) } };
}

/** Stands beside a URL that only the far side of an SSH connection reaches. */
export interface ViaFields {
  via?: { kind: "ssh"; target: string; remotePort: number; engine?: string };
}

/** @param engine what carried the connection, where there was one */
export function viaFields({ via }: GatewayTarget, engine?: string): ViaFields {
  if (via === undefined) return {};
  const { kind, target, remotePort } = via;
  return { via: { kind, target, remotePort, ...(engine === undefined ? {} : { engine }) } };
}

/** Where a target is, for people. */
export function placeOf({ url, via }: GatewayTarget): string {
  return via === undefined ? url : `${url} over SSH to ${via.target}`;
}

/** Whether a target is the Gateway of this machine, and not one that only looks so through a tunnel. */
export function isLocalTarget({ url, via }: GatewayTarget): boolean {
  return via === undefined && isLoopbackUrl(url);
}

/** Whether a URL leads to this machine, directly or through a tunnel. */
export function isLoopbackUrl(url: string): boolean {
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname);
}
