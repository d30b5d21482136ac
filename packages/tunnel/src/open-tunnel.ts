import { createTunnel } from "./create-tunnel.ts";
import type { SshTarget } from "./target.ts";
import type { Tunnel, TunnelOptions } from "./tunnel.ts";

/**
 * Opens a tunnel and resolves when it is open and its forwards listen. From then on it comes back by
 * itself.
 *
 * ```ts
 * await using tunnel = await openTunnel("me@box", { forwards: [{ remotePort: 18789 }] });
 * ```
 *
 * @param target as `parseSshTarget` reads it
 * @throws TunnelError when the first attempt fails, whatever the cause; see `createTunnel` for one that
 * keeps trying
 */
export async function openTunnel(
  target: string | SshTarget,
  options: TunnelOptions = {},
): Promise<Tunnel> {
  const failed = Promise.withResolvers<never>();
  let isOpen = false;
  const tunnel = createTunnel(target, {
    ...options,
    onState(state) {
      if (state.kind === "open") isOpen = true;
      if (state.kind === "waiting" && !isOpen) failed.reject(state.cause);
      options.onState?.(state);
    },
  });
  try {
    await Promise.race([tunnel.opened(), failed.promise]);
    return tunnel;
  } catch (error) {
    await tunnel.close();
    throw options.signal?.aborted ? options.signal.reason : error;
  }
}
