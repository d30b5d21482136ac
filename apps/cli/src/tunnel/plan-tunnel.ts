import { resolve } from "node:path";
import { asObject } from "@openclaw/app-kit";
import { loadSshWay } from "@openclaw/app-kit/ssh-way";
import { resolveGatewayPort, resolveGatewayTarget } from "@openclaw/config";
import type { ForwardSpec, SshTarget, TunnelOptions } from "@openclaw/tunnel";
import { usageError } from "../errors.ts";
import { readConfig } from "../gateway/choose-gateway.ts";
import { readWayFailure } from "../gateway/ssh-way.ts";
import type { CommandContext } from "../program/command-context.ts";

/** What a command line asks of a tunnel, checked, before anything is dialled. */
export interface TunnelPlan {
  readonly target: SshTarget;
  /** The target for people. */
  readonly shown: string;
  /** The target with everything that it says, to be read again. */
  readonly written: string;
  readonly options: Pick<
    TunnelOptions,
    | "identity"
    | "knownHosts"
    | "sshConfig"
    | "hostKeyPolicy"
    | "hostKeyFingerprint"
    | "engine"
    | "fallbackPort"
  >;
  /** Those of `-L`. */
  readonly forwards: readonly ForwardSpec[];
  /** The forward that is meant when neither `-L` nor ssh_config names one. */
  readonly gatewayForward: ForwardSpec;
}

/**
 * Reads target, options and forwards of a command line. Without a target, the one that the config has
 * for a remote Gateway.
 *
 * @throws {CliError} `cli_error`
 */
export async function planTunnel(context: CommandContext): Promise<TunnelPlan> {
  const { formatSshTarget, formatSshUrl, parseForward, parseSshTarget } = await loadSshWay();
  const [text] = context.args;
  const named: NamedTarget =
    text === undefined
      ? await configuredTarget(context)
      : { target: read(() => parseSshTarget(text)), way: {} };
  const { target } = named;
  const forwards = context.list("forward").map((spec) => read(() => parseForward(spec)));
  const gatewayPort = target.remotePort ?? (await remoteGatewayPort(context));
  const engine = context.text("engine");
  return {
    target,
    shown: formatSshTarget(target),
    written: target.remotePort === undefined ? formatSshTarget(target) : formatSshUrl(target),
    options: {
      ...named.way,
      ...given("identity", pathOption(context, "identity")),
      ...given("knownHosts", pathOption(context, "known-hosts")),
      ...given("sshConfig", sshConfigOption(context)),
      ...given("hostKeyFingerprint", context.text("host-key")),
      ...(context.flag("accept-new") ? { hostKeyPolicy: "accept-new" } : {}),
      ...(engine === "ssh2" || engine === "system" ? { engine } : {}),
      fallbackPort: context.flag("fallback-port"),
    },
    forwards,
    gatewayForward: { localPort: gatewayPort, remotePort: gatewayPort },
  };
}

/**
 * What to forward: what `-L` says, else the LocalForward lines of ssh_config, else the port of the
 * Gateway, which then has the same number here.
 *
 * @throws TunnelError when ssh_config cannot be read
 */
export async function chooseForwards(
  { target, options, forwards, gatewayForward }: TunnelPlan,
  context: CommandContext,
  signal: AbortSignal,
): Promise<readonly ForwardSpec[]> {
  if (forwards.length > 0) return forwards;
  const { resolveSshSettings } = await loadSshWay();
  const { localForwards } = await resolveSshSettings(target, {
    ...options,
    env: context.env,
    signal,
  });
  return localForwards.length > 0 ? localForwards : [gatewayForward];
}

interface NamedTarget {
  readonly target: SshTarget;
  /** What the config says besides. */
  readonly way: Pick<TunnelOptions, "identity" | "hostKeyPolicy">;
}

async function configuredTarget(context: CommandContext): Promise<NamedTarget> {
  const { config, env, unresolved } = await readConfig(context);
  const { configPath } = context.paths;
  const { via } = resolveGatewayTarget({
    ...{ env, config, unresolved, configPath },
    fallBackToLocal: true,
  });
  if (via === undefined) {
    throw usageError(
      "a target is needed: the config leads to no Gateway behind SSH.",
      `For example: ${context.commandLine("tunnel open me@box")}`,
    );
  }
  const { remotePort, identity, hostKeyPolicy } = via;
  const { parseSshTarget } = await loadSshWay();
  return {
    target: { ...read(() => parseSshTarget(via.target)), remotePort },
    way: { hostKeyPolicy, ...given("identity", identity) },
  };
}

/** The far side's port of a Gateway for which the command line names none. */
async function remoteGatewayPort(context: CommandContext): Promise<number> {
  const { config, env } = await readConfig(context);
  const configured = asObject(asObject(config["gateway"])["remote"])["remotePort"];
  if (typeof configured === "number" && Number.isInteger(configured)) return configured;
  return resolveGatewayPort({ env, config }).port;
}

/** Paths are the caller's; a service runs elsewhere. */
function pathOption(context: CommandContext, name: string): string | undefined {
  const path = context.text(name);
  return path === undefined || path.startsWith("~") ? path : resolve(context.io.cwd, path);
}

function sshConfigOption(context: CommandContext): string | false | undefined {
  const text = context.text("ssh-config");
  return text?.toLowerCase() === "none" ? false : pathOption(context, "ssh-config");
}

function given<K extends string, V>(name: K, value: V | undefined): { [key in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { [key in K]?: V };
}

/** What is malformed on the command line is a fault of the command line. */
function read<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const failure = readWayFailure(error);
    if (failure === undefined) throw error;
    const { message, hint } = failure;
    throw usageError(message, ...(hint === undefined ? [] : [hint]));
  }
}
