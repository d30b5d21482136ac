import { openDoor, type Door } from "../door.ts";

/** A door in front of a Gateway through which only protocol 3 gets in. */
export interface Protocol3Door extends Door {
  /** The `connect` params that were refused. */
  readonly refused: readonly Offer[];
  /** The `connect` params that were passed on, unchanged. */
  readonly passed: readonly Offer[];
}

/** What matters here of `connect`. */
export interface Offer {
  minProtocol: number;
  maxProtocol: number;
}

interface Request {
  id: string;
  method?: string;
  params?: Offer;
}

/**
 * Answers an offer of more than protocol 3 as a Gateway of the older generation does, and passes
 * everything else on. So a peer that falls back shows what it sends then, to a Gateway that would
 * have taken its first offer.
 */
export async function openProtocol3Door(targetPort: number): Promise<Protocol3Door> {
  const refused: Offer[] = [];
  const passed: Offer[] = [];
  const door = await openDoor({
    targetPort,
    admit(text) {
      const { id, method, params } = JSON.parse(text) as Request;
      if (method !== "connect" || !params) return undefined;
      if (params.minProtocol <= 3) {
        passed.push(params);
        return undefined;
      }
      refused.push(params);
      return { answer: JSON.stringify(mismatch(id)), code: 1002, reason: "protocol mismatch" };
    },
  });
  return { ...door, refused, passed };
}

function mismatch(id: string): object {
  const details = { code: "PROTOCOL_MISMATCH", expectedProtocol: 3 };
  const error = { code: "INVALID_REQUEST", message: "protocol mismatch", details };
  return { type: "res", id, ok: false, error };
}
