import type { RigServer, SshTestRig } from "@openclaw/testkit";
import {
  createTunnel,
  openTunnel,
  type Tunnel,
  type TunnelOptions,
  type TunnelState,
} from "../../src/index.ts";

export type Engine = NonNullable<TunnelOptions["engine"]>;

/** The engines that have to behave alike. */
export const engines: readonly Engine[] = ["ssh2", "system"];

/** A short keepalive interval for each engine: the ssh program counts in whole seconds. */
export const keepaliveIntervalMs: Readonly<Record<Engine, number>> = { ssh2: 500, system: 1_000 };

/** A tunnel to the server of a rig, with the user's files of that rig and nobody else's. */
export function openTunnelTo(
  rig: SshTestRig<RigServer>,
  options: TunnelOptions = {},
): Promise<Tunnel> {
  return openTunnel(rig.target, optionsFor(rig, options));
}

/** The same without waiting. */
export function createTunnelTo(rig: SshTestRig<RigServer>, options: TunnelOptions = {}): Tunnel {
  return createTunnel(rig.target, optionsFor(rig, options));
}

/** Keeps each state that a tunnel was in. */
export function recordStates(): {
  readonly onState: (state: TunnelState) => void;
  readonly states: readonly TunnelState[];
  /** Causes of the pauses between attempts, in order. */
  causes(): string[];
} {
  const states: TunnelState[] = [];
  return {
    onState: (state) => void states.push(state),
    states,
    causes: () => states.flatMap((state) => (state.kind === "waiting" ? [state.cause.code] : [])),
  };
}

/** The local ports of a tunnel's forwards, in order. */
export function localPorts(tunnel: Tunnel): number[] {
  return tunnel.forwards.map(({ local }) => ("port" in local ? local.port : 0));
}

function optionsFor(rig: SshTestRig<RigServer>, options: TunnelOptions): TunnelOptions {
  return {
    sshConfig: false,
    identity: rig.identity,
    knownHosts: rig.knownHosts,
    env: rig.env,
    backoff: { baseMs: 20, maxMs: 200 },
    ...options,
  };
}
