/** Names that a secret has gone by in query strings, without case, dashes and underscores. */
const SECRET_PARAMETERS: ReadonlySet<string> = new Set([
  "accesstoken",
  "apikey",
  "auth",
  "authorization",
  "authtoken",
  "bearer",
  "bootstraptoken",
  "devicetoken",
  "gatewaypassword",
  "gatewaytoken",
  "passwd",
  "password",
  "secret",
  "setupcode",
  "token",
]);

/**
 * The name of the part of a request target that carries a credential; undefined when none does.
 * What stands in a URL ends up in histories, logs and `Referer` headers, so nothing is taken from it.
 */
export function credentialInUrl(target: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i.test(target)) return "user information";
  const query = target.indexOf("?");
  if (query === -1) return undefined;
  for (const name of new URLSearchParams(target.slice(query + 1)).keys()) {
    const plain = name.toLowerCase().replaceAll(/[^a-z]/g, "");
    if (SECRET_PARAMETERS.has(plain)) return plain;
  }
  return undefined;
}
