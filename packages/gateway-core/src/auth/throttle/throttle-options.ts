import { GatewayStartError } from "../../errors.ts";

/** How failed authentication is slowed down. Each number is above 0. */
export interface ThrottleOptions {
  /**
   * Failures of one claimed identity at one network from which on the pause grows beyond five
   * seconds. The fourth failure already costs a quarter of a second, and each further one doubles it.
   * @default 10
   */
  maxAttempts: number;
  /** So long after its pause has run out, a failure is forgotten, in milliseconds. @default 60_000 */
  windowMs: number;
  /** The longest pause between two tries of one identity at one network. @default 300_000 */
  lockoutMs: number;
  /** Peers on this machine never wait longer than five seconds. @default true */
  exemptLoopback: boolean;
  /** Wrong secrets that are looked at in any second, whoever sends them; other machines leave one of them to this one. @default 5 */
  maxGuessesPerSecond: number;
  /**
   * Handshakes that one other machine may begin in any second while secrets that it sent were wrong;
   * one more is answered 429. @default 50
   */
  maxHandshakesPerSecond: number;
  /** Identities and networks that are remembered; the one unheard of for longest is forgotten. @default 10_000 */
  maxEntries: number;
}

export const defaultThrottle: ThrottleOptions = {
  maxAttempts: 10,
  windowMs: 60_000,
  lockoutMs: 300_000,
  exemptLoopback: true,
  maxGuessesPerSecond: 5,
  maxHandshakesPerSecond: 50,
  maxEntries: 10_000,
};

/**
 * Checks the options and fills in defaults.
 *
 * @throws {GatewayStartError} `OPTIONS_INVALID` for 0, a negative number, or what is no whole number
 */
export function resolveThrottleOptions(
  options: Partial<ThrottleOptions> = {},
  base: ThrottleOptions = defaultThrottle,
): ThrottleOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const resolved = { ...base, ...Object.fromEntries(given) };
  for (const [name, value] of Object.entries(resolved)) {
    if (name === "exemptLoopback" ? typeof value === "boolean" : isWholeAboveZero(value)) continue;
    throw new GatewayStartError(
      "OPTIONS_INVALID",
      `throttle.${name} must be ${name === "exemptLoopback" ? "true or false" : "a whole number above 0"}, not ${String(value)}`,
      { hint: "Throttling cannot be turned off; leave the setting out for its default." },
    );
  }
  return resolved;
}

function isWholeAboveZero(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) > 0;
}
