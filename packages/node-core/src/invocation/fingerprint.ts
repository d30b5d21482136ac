import { hash } from "node:crypto";

/**
 * Digest of what a request asks for, so that a key that comes again with another body is noticed.
 * Members named in `volatileParams` do not count; the params are then compared by content, not by
 * text.
 */
export function fingerprintOf(
  command: string,
  paramsJSON: string | undefined,
  volatileParams: readonly string[],
): string {
  const body = volatileParams.length === 0 ? paramsJSON : without(paramsJSON, volatileParams);
  return hash("sha256", `${command}\n${body ?? ""}`, "base64url");
}

function without(paramsJSON: string | undefined, names: readonly string[]): string | undefined {
  if (paramsJSON === undefined) return undefined;
  try {
    const params: unknown = JSON.parse(paramsJSON);
    if (typeof params !== "object" || params === null) return paramsJSON;
    return JSON.stringify(
      Object.fromEntries(Object.entries(params).filter(([name]) => !names.includes(name))),
    );
  } catch {
    return paramsJSON;
  }
}
