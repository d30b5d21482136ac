import { connect } from "node:net";
import { portOf } from "@openclaw/app-kit";
import {
  decodeSetupCode,
  GatewayError,
  type SetupCode,
  type SetupCodeProblem,
} from "@openclaw/client";
import { ConfigError } from "@openclaw/config";
import { type NodeRunFlags, type NodeTarget, targetOfUrl } from "./node-target.ts";

/** How long an address may take to answer before the next one is tried. */
const REACH_TIMEOUT_MS = 3_000;

const PROBLEM_TEXT: Readonly<Record<SetupCodeProblem, string>> = {
  malformed: "this is no setup code",
  "unknown-scheme": "a setup code stands alone or behind oc-pair://",
  "bad-url": "the setup code names an address that is not ws:// or wss://",
  expired: "the setup code has expired",
};

/** A Gateway that a setup code leads to, and the code's one-time token. */
export interface PairTarget {
  readonly target: NodeTarget;
  readonly bootstrapToken: string;
}

/**
 * Reads a setup code.
 *
 * @throws {GatewayError} `AUTH_FAILED` for one that cannot be used; the code is not repeated in it
 */
export function readSetupCode(text: string, now: number = Date.now()): SetupCode {
  const decoded = decodeSetupCode(text, now);
  if (decoded.ok) return decoded.code;
  throw new GatewayError("AUTH_FAILED", PROBLEM_TEXT[decoded.problem], {
    final: true,
    hint: 'Ask for a new one on the Gateway host: "openclaw qr". It is good for ten minutes.',
  });
}

/**
 * Chooses the address of a code: the first that answers, otherwise the first. Nothing is sent while
 * choosing.
 *
 * @throws {GatewayError} for a code that cannot be used
 * @throws {ConfigError} `URL_AND_PORT` for flags that name another address
 */
export async function pairTarget(text: string, flags: NodeRunFlags): Promise<PairTarget> {
  for (const name of ["url", "host", "port", "ssh"] as const) {
    if (flags[name] === undefined) continue;
    throw new ConfigError("URL_AND_PORT", `--pair cannot be combined with --${name}.`, {
      hint: "The setup code says where the Gateway is.",
    });
  }
  const code = readSetupCode(text);
  const addresses = [...new Set([code.url, ...(code.urls ?? [])])];
  const url = (await firstReachable(addresses)) ?? code.url;
  // Where a person names a pin, it holds whatever the code says.
  const pins = code.tlsFingerprint === undefined ? [] : [code.tlsFingerprint];
  const target = targetOfUrl(url, "setup code", flags.tlsFingerprint ?? pins);
  return { target: { ...target, kind: "url-flag" }, bootstrapToken: code.bootstrapToken };
}

async function firstReachable(urls: readonly string[]): Promise<string | undefined> {
  if (urls.length < 2) return urls[0];
  for (const url of urls) {
    // One after the other: the best comes first, and is used where it can be.
    // oxlint-disable-next-line no-await-in-loop
    if (await isReachable(url)) return url;
  }
  return undefined;
}

function isReachable(url: string): Promise<boolean> {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve) => {
    const socket = connect({ host, port: portOf(url), timeout: REACH_TIMEOUT_MS });
    const settle = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once("connect", () => settle(true));
    socket.once("timeout", () => settle(false));
    socket.once("error", () => settle(false));
  });
}
