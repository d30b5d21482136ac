/** The newest protocol version, spoken wherever the peer speaks it too. */
export const PROTOCOL_VERSION = 4;

/** The oldest protocol version still spoken. */
export const MIN_PROTOCOL_VERSION = 3;

/** A protocol version that both sides may agree on. */
export type ProtocolVersion = 3 | 4;

/** The range of versions that a `connect` request offers. */
export interface ProtocolRange {
  minProtocol: number;
  maxProtocol: number;
}

/**
 * The newest version inside both the offered range and ours, or `undefined` when the ranges do not
 * overlap (or the offered one is empty): the peer is then answered `protocol mismatch`.
 */
export function negotiateProtocol({
  minProtocol,
  maxProtocol,
}: ProtocolRange): ProtocolVersion | undefined {
  const agreed = Math.min(PROTOCOL_VERSION, maxProtocol);
  if (agreed < Math.max(MIN_PROTOCOL_VERSION, minProtocol)) return undefined;
  return agreed === 4 ? 4 : 3;
}
