const SECRET_NAME = /TOKEN|PASSWORD|SECRET|KEY/iu;
const SECRET_FLAG = /^--?(token|password|secret|passphrase|api-key)(?:=(.*))?$/isu;
const SECRET_IN_URL =
  /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*:[^/?#]*@|[^#]*[?&](?:token|password|secret)=)/iu;

/**
 * Where a program's arguments or environment hold a secret: names of variables and flags, never
 * their values. Empty values are no secrets.
 */
export function findSecrets(
  programArguments: readonly string[],
  environment: Readonly<Record<string, string>>,
): string[] {
  const variables = Object.entries(environment)
    .filter(
      ([name, value]) => value !== "" && (SECRET_NAME.test(name) || SECRET_IN_URL.test(value)),
    )
    .map(([name]) => name);
  const flags = programArguments.flatMap((word, index) => {
    if (SECRET_IN_URL.test(word)) return ["a secret in a URL"];
    const [, flag, inline] = SECRET_FLAG.exec(word) ?? [];
    if (flag === undefined) return [];
    const value = inline ?? programArguments[index + 1] ?? "";
    return value === "" ? [] : [`--${flag.toLowerCase()}`];
  });
  return [...new Set([...variables, ...flags])];
}
