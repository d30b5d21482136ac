import type { RunningGateway } from "../subjects.ts";
import type { WireClient } from "../wire-client.ts";

/** Opens so many connections, a few at once: fewer than one address may have before the handshake. */
export async function connectMany(
  gateway: RunningGateway,
  count: number,
  atOnce: number,
): Promise<WireClient[]> {
  const clients: WireClient[] = [];
  while (clients.length < count) {
    const batch = Array.from({ length: Math.min(atOnce, count - clients.length) }, () =>
      gateway.connect(),
    );
    clients.push(...(await Promise.all(batch)));
  }
  return clients;
}
