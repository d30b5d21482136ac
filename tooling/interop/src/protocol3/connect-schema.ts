import { Type } from "typebox";
import { Compile } from "typebox/compile";

const text = Type.String({ minLength: 1 });
const optionalText = Type.Optional(Type.String());
const closed = { additionalProperties: false } as const;

/**
 * What a Gateway of the 2026.1 line takes in `connect`: closed at every level, so that one field of
 * a later release ends the handshake.
 */
const connectSchema = Type.Object(
  {
    minProtocol: Type.Integer({ minimum: 1 }),
    maxProtocol: Type.Integer({ minimum: 1 }),
    client: Type.Object(
      {
        id: Type.Enum([
          "webchat-ui",
          "openclaw-control-ui",
          "webchat",
          "cli",
          "gateway-client",
          "openclaw-macos",
          "openclaw-ios",
          "openclaw-android",
          "node-host",
          "test",
          "fingerprint",
          "openclaw-probe",
        ]),
        displayName: Type.Optional(text),
        version: text,
        platform: text,
        deviceFamily: Type.Optional(text),
        modelIdentifier: Type.Optional(text),
        mode: Type.Enum(["webchat", "cli", "ui", "backend", "node", "probe", "test"]),
        instanceId: Type.Optional(text),
      },
      closed,
    ),
    caps: Type.Optional(Type.Array(text)),
    commands: Type.Optional(Type.Array(text)),
    permissions: Type.Optional(Type.Record(text, Type.Boolean())),
    pathEnv: optionalText,
    role: Type.Optional(text),
    scopes: Type.Optional(Type.Array(text)),
    device: Type.Optional(
      Type.Object(
        {
          id: text,
          publicKey: text,
          signature: text,
          signedAt: Type.Integer({ minimum: 0 }),
          nonce: Type.Optional(text),
        },
        closed,
      ),
    ),
    auth: Type.Optional(Type.Object({ token: optionalText, password: optionalText }, closed)),
    locale: optionalText,
    userAgent: optionalText,
  },
  closed,
);

/** Params of `connect` as the older generation knows them. */
export type Protocol3Connect = Type.Static<typeof connectSchema>;

const validator = Compile(connectSchema);

/** The params when they fit, else what is wrong with them. */
export function checkConnect(
  value: unknown,
): { ok: true; params: Protocol3Connect } | { ok: false; detail: string } {
  if (validator.Check(value)) return { ok: true, params: value };
  const detail = validator
    .Errors(value)
    .map((error) => `${error.instancePath || "root"} ${error.message}`)
    .join("; ");
  return { ok: false, detail };
}
