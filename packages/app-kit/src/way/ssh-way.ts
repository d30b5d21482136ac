import type { Duplex } from "node:stream";
import type { SshRoute } from "@openclaw/config";
import {
  type AuthenticationCallbacks,
  createTunnel,
  openTunnel,
  parseSshTarget,
  resolveSshSettings,
  type ShownHostKey,
  type SshSettings,
  type Tunnel,
  type TunnelOptions,
  type TunnelState,
} from "@openclaw/tunnel";
import type { Logger } from "../logger.ts";

// For programs that open tunnels themselves: whoever bundles this file bundles the library once.
export {
  createTunnel,
  formatSshTarget,
  formatSshUrl,
  inspectProcess,
  openTunnel,
  parseForward,
  parseSshTarget,
  resolveSshSettings,
} from "@openclaw/tunnel";

/** How to get to a Gateway on the far side of an SSH connection. */
export interface WayOptions {
  readonly via: SshRoute;
  /** What device tokens are kept under. */
  readonly endpointKey: string | undefined;
  /** Environment to find the ssh configuration, the agent and the ssh program in. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Known hosts instead of those of ssh_config. */
  readonly knownHosts?: string | undefined;
  /** The only host key to accept, as `SHA256:…`. */
  readonly hostKeyFingerprint?: string | undefined;
  readonly engine?: "ssh2" | "system" | undefined;
  readonly authentication?: AuthenticationCallbacks | undefined;
  readonly onNewHostKey?: ((key: ShownHostKey) => void) | undefined;
  readonly onState?: ((state: TunnelState) => void) | undefined;
  /** For one attempt to connect. */
  readonly connectTimeoutMs?: number | undefined;
  /** Where children of the system's ssh are recorded. */
  readonly stateDirectory?: string | undefined;
  readonly logger?: Logger | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a client of the Gateway has to be given to go this way. */
export interface WayForClient {
  readonly dial: (
    address: { readonly host: string; readonly port: number },
    options: { readonly signal: AbortSignal },
  ) => Promise<Duplex>;
  readonly carrierReady: (signal: AbortSignal) => Promise<void>;
  readonly endpointKey: string | undefined;
}

/** An SSH connection, and what a client needs to use it. */
export interface Way extends AsyncDisposable {
  readonly tunnel: Tunnel;
  readonly client: WayForClient;
  close(): Promise<void>;
}

/**
 * For one command: connects now, listens nowhere, and does not come back.
 *
 * @throws TunnelError
 */
export async function openWay(options: WayOptions): Promise<Way> {
  const tunnel = await openTunnel(options.via.target, {
    ...tunnelOptions(options),
    reconnect: false,
  });
  return wayOver(tunnel, options);
}

/** For as long as a program runs: one SSH connection that comes back by itself. Returns at once. */
export function keepWay(options: WayOptions): Way {
  return wayOver(createTunnel(options.via.target, tunnelOptions(options)), options);
}

/** The first machine on the way, which is the one that this machine has to reach. */
export interface WayStart {
  readonly hostName: string;
  readonly port: number;
  /** Whether it is another than the target, as ProxyJump has it. */
  readonly isHop: boolean;
  /** A program of the ssh configuration connects instead; nobody knows where to. */
  readonly isByProgram: boolean;
}

/** More hosts in a row are the tunnel's to refuse. */
const MAX_HOPS = 10;

/**
 * Where the way begins, as ssh_config has it.
 *
 * @throws TunnelError
 */
export async function findWayStart({
  via,
  env,
  knownHosts,
  signal,
}: WayOptions): Promise<WayStart> {
  let settings: SshSettings | undefined;
  let next = parseSshTarget(via.target);
  for (let hop = 0; ; hop += 1) {
    // Each host has settings of its own, which may name another to go through first.
    // oxlint-disable-next-line no-await-in-loop
    settings = await resolveSshSettings(next, {
      env,
      signal,
      ...(hop === 0 ? { identity: via.identity, knownHosts } : {}),
    });
    const [first] = settings.proxyJump;
    if (first === undefined || hop === MAX_HOPS) {
      return {
        hostName: settings.hostName,
        port: settings.port,
        isHop: hop > 0,
        isByProgram: settings.needsSystemSsh.some((need) => need.startsWith("ProxyCommand")),
      };
    }
    next = first;
  }
}

function tunnelOptions({ via, ...options }: WayOptions): TunnelOptions {
  return { ...options, identity: via.identity, hostKeyPolicy: via.hostKeyPolicy };
}

function wayOver(tunnel: Tunnel, { endpointKey }: WayOptions): Way {
  return {
    tunnel,
    client: {
      // What the URL calls the Gateway is what the far side calls it.
      dial: (address, { signal }) => tunnel.connect(address, { signal }),
      carrierReady: (signal) => tunnel.ready({ signal }),
      endpointKey,
    },
    close: () => tunnel.close(),
    [Symbol.asyncDispose]: () => tunnel.close(),
  };
}
