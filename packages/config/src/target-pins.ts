import { ConfigError } from "./config-error.ts";
import { isLoopbackHost } from "./gateway-url.ts";
import { valueAt } from "./json.ts";
import type { UnresolvedReference } from "./substitute.ts";
import { formatTlsPin, MOST_TLS_PINS, parseTlsPin, TLS_PIN_FORMS } from "./tls-pin.ts";

const KEY = "gateway.remote.tlsFingerprint";

/**
 * Reads one or two pins as they were typed or configured, and writes them in their usual form.
 *
 * @param source where they came from, for the message: `--tls-fingerprint`, a key of the config.
 * @throws {@link ConfigError} `INVALID_TLS_PIN`
 */
export function readTlsPins(given: unknown, source: string): readonly string[] {
  const texts: readonly unknown[] = Array.isArray(given) ? given : [given];
  const refuse = (fault: string): ConfigError =>
    new ConfigError("INVALID_TLS_PIN", `${source} ${fault}.`, {
      hint: `Write ${TLS_PIN_FORMS}. "openclaw gateway status" on the Gateway's machine shows both.`,
    });
  if (texts.length > MOST_TLS_PINS) {
    throw refuse(`has ${texts.length} pins; at most the present one and the next one are held to`);
  }
  return texts.map((text) => {
    const parsed = typeof text === "string" ? parseTlsPin(text) : undefined;
    if (parsed?.ok === true) return formatTlsPin(parsed.pin);
    throw refuse(`is ${parsed?.fault ?? "no text"}`);
  });
}

/** A target, as far as pins are concerned. */
interface PinnedTarget {
  url: string;
  via?: unknown;
  tlsFingerprint?: readonly string[] | undefined;
  warning?: string;
}

/**
 * The target with the pins of the flag, which hold for the target that was chosen, whichever it is.
 *
 * @throws {@link ConfigError} `INVALID_TLS_PIN`, also where there is no certificate to look at
 */
export function withGivenPins<T extends PinnedTarget>(target: T, given: readonly string[]): T {
  if (given.length === 0) return target;
  const tlsFingerprint = readTlsPins(given, "--tls-fingerprint");
  if (target.url.startsWith("wss:")) return { ...target, tlsFingerprint };
  throw new ConfigError(
    "INVALID_TLS_PIN",
    `--tls-fingerprint is for wss://, and ${target.url} is plaintext.`,
    { hint: "Use a wss:// URL, or leave the pin out." },
  );
}

/**
 * The configured remote Gateway with its configured pins. Where its URL is plaintext they cannot be
 * held to: that is refused, unless the bytes stay on this machine, where somebody's tunnel begins.
 *
 * @throws {@link ConfigError} `INVALID_TLS_PIN`
 */
export function withConfiguredPins<T extends PinnedTarget>(
  target: T,
  config: object,
  unresolved: readonly UnresolvedReference[] = [],
): T {
  const missing = unresolved.find(({ path }) => path === KEY || path.startsWith(`${KEY}[`));
  if (missing !== undefined) {
    // Without the pin, whoever has any certificate for the name would be sent the secret.
    throw new ConfigError(
      "INVALID_TLS_PIN",
      `${missing.path} refers to \${${missing.name}}, which is not set.`,
      { hint: "Set the variable, or write the pin itself; it is no secret." },
    );
  }
  const given = valueAt(config, KEY);
  if (given === undefined || given === "") return target;
  const tlsFingerprint = readTlsPins(given, KEY);
  const { protocol, hostname } = new URL(target.url);
  if (protocol === "wss:") return { ...target, tlsFingerprint };
  if (target.via !== undefined || isLoopbackHost(hostname)) {
    const warning = `${KEY} is not used: ${target.url} is plaintext.`;
    return { ...target, warning: target.warning ?? warning };
  }
  throw new ConfigError(
    "INVALID_TLS_PIN",
    `${KEY} pins a certificate, and gateway.remote.url ${target.url} is plaintext.`,
    { hint: "Write gateway.remote.url as wss://, or take the pin away." },
  );
}
