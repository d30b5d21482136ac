import { type JsonObject, textAt, valueAt } from "./json.ts";

/** Keys that stand where they have no effect, although they are right in themselves: one line each. */
export function misplacedKeys(config: JsonObject): string[] {
  return RULES.flatMap(({ isBroken, warning }) => (isBroken(config) ? [warning] : []));
}

interface Rule {
  readonly warning: string;
  isBroken(config: JsonObject): boolean;
}

const RULES: readonly Rule[] = [
  {
    warning:
      "gateway.auth has a token and a password; the password counts. Set gateway.auth.mode to say which.",
    isBroken: (config) =>
      valueAt(config, "gateway.auth.mode") === undefined &&
      textAt(config, "gateway.auth.token") !== undefined &&
      textAt(config, "gateway.auth.password") !== undefined,
  },
  {
    warning: 'gateway.customBindHost has no effect unless gateway.bind is "custom".',
    isBroken: (config) =>
      valueAt(config, "gateway.customBindHost") !== undefined &&
      textAt(config, "gateway.bind") !== "custom",
  },
  {
    warning:
      "gateway.tls names a certificate, which has no effect unless gateway.tls.enabled is true.",
    isBroken: (config) =>
      valueAt(config, "gateway.tls.enabled") !== true &&
      ["certPath", "keyPath"].some((key) => valueAt(config, `gateway.tls.${key}`) !== undefined),
  },
  {
    warning: 'session.mainKey has no effect: the main conversation is called "main".',
    isBroken: (config) => (textAt(config, "session.mainKey") ?? "main") !== "main",
  },
];
