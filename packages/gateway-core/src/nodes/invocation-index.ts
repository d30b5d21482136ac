import type { Connection } from "../connections/connection.ts";
import type { Invocation } from "./invocation.ts";

/** The invocations that have not ended, by all that they are asked for. */
export interface InvocationIndex {
  readonly byKey: Map<string, Invocation>;
  readonly byId: Map<string, Invocation>;
  readonly byCarrier: Map<Connection, Set<Invocation>>;
  /** What a connection is expected to answer. */
  carriedBy(connection: Connection): Set<Invocation>;
  remember(invocation: Invocation): void;
  forget(invocation: Invocation): void;
}

export function createInvocationIndex(): InvocationIndex {
  const byKey = new Map<string, Invocation>();
  const byId = new Map<string, Invocation>();
  const byCarrier = new Map<Connection, Set<Invocation>>();

  function carriedBy(connection: Connection): Set<Invocation> {
    let carried = byCarrier.get(connection);
    if (!carried) byCarrier.set(connection, (carried = new Set()));
    return carried;
  }

  return {
    byKey,
    byId,
    byCarrier,
    carriedBy,
    remember(invocation) {
      byKey.set(invocation.key, invocation);
      byId.set(invocation.id, invocation);
      if (invocation.carrier) carriedBy(invocation.carrier).add(invocation);
    },
    forget(invocation) {
      // The key may have begun anew since.
      if (byKey.get(invocation.key) === invocation) byKey.delete(invocation.key);
      byId.delete(invocation.id);
      if (invocation.carrier) byCarrier.get(invocation.carrier)?.delete(invocation);
    },
  };
}
