import { createHash, timingSafeEqual } from "node:crypto";

/**
 * Compares two secrets in a time that does not depend on where they differ. Both are hashed first,
 * so that neither length nor multi-byte characters show.
 */
export function secretsEqual(presented: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text, "utf8").digest();
  return timingSafeEqual(digest(presented), digest(expected));
}
