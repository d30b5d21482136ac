/** Names that a secret has gone by in query strings, without case and separators. */
const SECRET_PARAMETER =
  /^(?:access|api|auth|bearer|bootstrap|device|gateway)?(?:token|key|password|passwd|secret|authorization)$|^(?:auth|bearer|setupcode)$/u;

/**
 * Whether a text is a URL that carries a credential: a password before its host, or a query parameter
 * whose name says so. Such a text is not shown. A user name alone, as in an SSH address, is none.
 */
export function carriesCredential(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\//iu.test(text)) return false;
  return /^[^:]+:\/\/[^/?#@]*:[^/?#]*@/u.test(text) || queryCredential(text) !== undefined;
}

/** The name of the parameter of a URL, in its query or behind it, that carries a credential. */
export function queryCredential(url: string): string | undefined {
  const [, ...parameters] = url.split(/[?&#]/u);
  return parameters
    .filter((parameter) => /=./u.test(parameter))
    .map((parameter) => parameter.replace(/=.*$/u, ""))
    .find((name) => SECRET_PARAMETER.test(name.toLowerCase().replaceAll(/[^a-z]/gu, "")));
}
