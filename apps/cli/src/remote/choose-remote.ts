import { asObject } from "@openclaw/app-kit";
import {
  ConfigError,
  type GatewayTarget,
  type LooseConfig,
  parseSshAddress,
  resolveGatewayTarget,
  sshGatewayAddress,
} from "@openclaw/config";
import { usageError } from "../errors.ts";
import { type ChosenGateway, credentialsFor, readConfig } from "../gateway/choose-gateway.ts";
import type { CommandContext } from "../program/command-context.ts";

/**
 * The Gateway that `remote test` walks to: `--ssh`, `--url`, else the remote one of the config, also
 * where commands go to this machine now.
 *
 * @throws {CliError} `cli_error` when none is known, `gateway_credentials_required` for a bare `--url`
 */
export async function chooseRemote(context: CommandContext): Promise<ChosenGateway> {
  const loose = await readConfig(context);
  const ssh = context.text("ssh");
  const url = context.text("url");
  if (ssh !== undefined && url !== undefined) {
    throw usageError("--ssh and --url cannot be combined.", "--url takes ssh://me@box too.");
  }
  const configured = (): GatewayTarget =>
    resolveGatewayTarget({
      flags: { url, tlsFingerprint: context.list("tls-fingerprint") },
      env: loose.env,
      config: {
        ...loose.config,
        gateway: { ...asObject(loose.config["gateway"]), mode: "remote" },
      },
      unresolved: loose.unresolved,
      configPath: context.paths.configPath,
    });

  if (ssh === undefined) {
    const target = withRemotePort(context, orMissing(context, configured));
    return { target, credentials: credentialsFor(context, target, loose), loose };
  }
  return chooseSsh(context, ssh, { loose, configured });
}

/** The Gateway behind the SSH target of a flag. */
export function chooseSsh(
  context: CommandContext,
  ssh: string,
  { loose, configured }: { loose: LooseConfig; configured: () => GatewayTarget },
): ChosenGateway {
  const named = withRemotePort(context, targetOf(ssh));
  const known = orUndefined(configured);
  // The secret of the config is for the Gateway of the config.
  const isConfigured = known?.via !== undefined && known.endpointKey === named.endpointKey;
  const target = isConfigured ? { ...known, urlSource: named.urlSource } : named;
  const hasFlag = context.text("token") !== undefined || context.text("password") !== undefined;
  const credentials =
    isConfigured || hasFlag
      ? credentialsFor(context, target, loose)
      : { sources: {}, explain: () => "" };
  return { target, credentials, loose };
}

function targetOf(ssh: string): GatewayTarget {
  const parsed = parseSshAddress(ssh);
  if (!parsed.ok) {
    throw usageError(
      `the SSH target ${parsed.fault}.`,
      "Write it as me@box, box:2222, ssh://me@box/18789, or an alias of your ssh config.",
    );
  }
  return { ...sshGatewayAddress(parsed.address, {}), kind: "url-flag", urlSource: "cli --ssh" };
}

function withRemotePort(context: CommandContext, target: GatewayTarget): GatewayTarget {
  const remotePort = context.integer("remote-port");
  if (remotePort === undefined) return target;
  const parsed = target.via === undefined ? undefined : parseSshAddress(target.via.target);
  if (parsed?.ok !== true) {
    throw usageError(`--remote-port is for a Gateway behind SSH, and ${target.url} is not.`);
  }
  const { identity, hostKeyPolicy } = target.via ?? {};
  return {
    ...target,
    ...sshGatewayAddress(parsed.address, { remotePort, identity, hostKeyPolicy }),
  };
}

function orMissing(context: CommandContext, resolve: () => GatewayTarget): GatewayTarget {
  try {
    return resolve();
  } catch (error) {
    if (!(error instanceof ConfigError) || error.code !== "REMOTE_URL_MISSING") throw error;
    throw usageError(
      "no remote Gateway is configured.",
      `Name one for good: ${context.commandLine("remote set me@box")}`,
      `Or for once: ${context.commandLine("remote test --ssh me@box")}`,
    );
  }
}

/** A config that names no remote Gateway, or one that cannot be used, is no hindrance to another. */
function orUndefined(resolve: () => GatewayTarget): GatewayTarget | undefined {
  try {
    return resolve();
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
