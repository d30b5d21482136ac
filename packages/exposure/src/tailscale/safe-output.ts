const MAX_CHARACTERS = 2_000;

/** What a program said, fit to be shown: without control characters, keys of Tailscale and endless tails. */
export function safeOutput(text: string): string {
  const clean = text
    .replace(/tskey-[\w-]+/gu, "tskey-…")
    .replace(/\r\n?/gu, "\n")
    .replace(/[^\P{Cc}\n\t]|\p{Cf}/gu, "")
    .trim();
  return clean.length > MAX_CHARACTERS ? `${clean.slice(0, MAX_CHARACTERS)}…` : clean;
}
