import { isObject, safeText } from "@openclaw/app-kit";
import type { GatewayError } from "@openclaw/client";
import type { GatewayTarget } from "@openclaw/config";
import type { CommandContext } from "../program/command-context.ts";

/** What a command says of a certificate that the client did not accept. */
export interface TlsStory {
  readonly hints: string[];
  /** For scripts: both sides of a mismatch. */
  readonly fields: Record<string, unknown>;
}

interface Shown {
  fingerprint: string;
  publicKey: string;
}

/**
 * Explains a certificate that nobody vouches for, or that is not the pinned one. A fingerprint that
 * came over the line is never offered for pinning at first contact: whoever sits in between would
 * have sent it. It is compared on the Gateway's own machine.
 */
export function explainTls(
  error: GatewayError,
  target: GatewayTarget,
  context: CommandContext,
): TlsStory {
  const details = isObject(error.details) ? error.details : {};
  const shown = readShown(details["found"]);
  if (error.code === "TLS_PIN_MISMATCH") return explainMismatch(details, shown, target, context);
  if (shown === undefined) {
    return { hints: error.hint === undefined ? [] : [error.hint], fields: {} };
  }
  return {
    hints: [
      `On the Gateway's own machine run: ${context.commandLine("gateway status")}`,
      `It shows fingerprint and public key. Pin one of them: ${pinCommand("<pin>", target, context)}`,
    ],
    fields: {},
  };
}

function explainMismatch(
  details: Record<string, unknown>,
  shown: Shown | undefined,
  target: GatewayTarget,
  context: CommandContext,
): TlsStory {
  const expected = Array.isArray(details["expected"]) ? details["expected"].map(safeText) : [];
  const found = shown === undefined ? null : { ...shown };
  const fields = { expected, found };
  const both = [
    ...expected.map((pin) => `Expected: ${pin}`),
    ...(shown === undefined
      ? ["Found: no certificate"]
      : [`Found: ${shown.fingerprint}`, `Its public key: ${shown.publicKey}`]),
  ];
  const isOwn = target.kind === "local" || target.kind === "port-flag";
  if (isOwn) {
    const cure = `Another program holds the port, or the Gateway still shows a former certificate: ${context.commandLine("gateway restart")}`;
    return { hints: [...both, cure], fields };
  }
  return {
    hints: [
      ...both,
      "Somebody may sit in between, and nothing was sent to him.",
      `Compare with what the Gateway's own machine shows: ${context.commandLine("gateway status")}`,
      ...(shown === undefined
        ? []
        : [`Only if it is the same there: ${pinCommand(shown.publicKey, target, context)}`]),
    ],
    fields,
  };
}

/** What pins the target from now on, or for once where it was named for once. */
function pinCommand(pin: string, { kind, url }: GatewayTarget, context: CommandContext): string {
  return kind === "remote"
    ? context.commandLine(`config set gateway.remote.tlsFingerprint ${pin}`)
    : `--url ${url} --tls-fingerprint ${pin}`;
}

/** What the peer has shown is text of the peer. */
function readShown(value: unknown): Shown | undefined {
  if (!isObject(value)) return undefined;
  const { fingerprint, publicKey } = value;
  return typeof fingerprint === "string" && typeof publicKey === "string"
    ? { fingerprint: safeText(fingerprint), publicKey: safeText(publicKey) }
    : undefined;
}
