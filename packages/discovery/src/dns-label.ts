/** A label of DNS has at most this many bytes. */
const MAX_LABEL_BYTES = 63;

/**
 * `start` and `end` as one label of DNS: where both are too long together, characters are taken from
 * the end of `start`, never half of one.
 */
export function fitLabel(start: string, end = ""): string {
  const room = MAX_LABEL_BYTES - Buffer.byteLength(end);
  let kept = "";
  let bytes = 0;
  for (const character of start) {
    bytes += Buffer.byteLength(character);
    if (bytes > room) break;
    kept += character;
  }
  return `${kept.trimEnd()}${end}`;
}

/**
 * The first label of a host name in the letters that host names have; `fallback` where nothing is
 * left of it.
 */
export function hostLabel(name: string | undefined, fallback: string): string {
  const label = (name ?? "")
    .trim()
    .split(".", 1)[0]
    ?.toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return label === undefined || label === "" ? fallback : fitLabel(label);
}

/** Whether a text can be the name or the address of a host, and so stand in a URL. */
export function isHostName(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/iu.test(text);
}
