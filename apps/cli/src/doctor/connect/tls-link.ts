import type { Duplex } from "node:stream";
import { formatTlsPin, parseTlsPin, type TlsPin } from "@openclaw/config";
import type { Taken } from "../../remote/walk.ts";
import type { Carrier, OpenOptions } from "./carrier.ts";
import { dateOfServer, describeSkew, isSkewed } from "./clock.ts";
import { fault } from "./faults.ts";
import { describeLocalHolders } from "./local-facts.ts";
import { askForUpgrade } from "./http-probe.ts";
import {
  type ShownCertificate,
  shakeTls,
  type TlsObjection,
  type TlsOutcome,
} from "./tls-handshake.ts";
import { platformCommands } from "./platform-commands.ts";
import type { Trail } from "./trail.ts";

const TLS_SHARE_MS = 1_500;
const EXPLAIN_MS = 700;

/** Whether the certificate is the right one. @throws {StepFailure} of the step `tls` */
export async function checkTls(trail: Trail, carrier: Carrier): Promise<Taken<undefined>> {
  const { budget, gateway, interruption } = trail;
  const timeoutMs = budget.step(TLS_SHARE_MS);
  const { signal } = interruption;
  const { hostname } = new URL(gateway.target.url);
  const pins = pinsOf(gateway.target.tlsFingerprint);
  const host = hostname.replace(/^\[|\]$/gu, "");
  const stream = await openOrNothing(carrier, { timeoutMs, signal });
  const outcome: TlsOutcome =
    stream === undefined
      ? { kind: "failed", code: "ECONNRESET", message: "it hung up" }
      : await shakeTls(stream, { host, pins, timeoutMs, signal });
  if (outcome.kind === "encrypted") {
    const { objection, shown, socket, protocol } = outcome;
    if (objection === undefined) {
      socket.destroy();
      return { value: undefined, detail: `${protocol}, SHA-256 ${shown?.fingerprint ?? ""}` };
    }
    if (objection.kind === "date")
      throw await explainDate(trail, carrier, { objection, shown, socket });
    socket.destroy();
    throw explainObjection(trail, objection, shown);
  }
  throw await explainNoTls(trail, carrier, outcome);
}

/** Whoever takes connections may drop them at once. */
async function openOrNothing(carrier: Carrier, options: OpenOptions): Promise<Duplex | undefined> {
  try {
    return await carrier.open(options);
  } catch {
    options.signal.throwIfAborted();
    return undefined;
  }
}

function pinsOf(texts: readonly string[] | undefined): readonly TlsPin[] {
  return (texts ?? []).flatMap((text) => {
    const parsed = parseTlsPin(text);
    return parsed.ok ? [parsed.pin] : [];
  });
}

async function explainNoTls(
  trail: Trail,
  carrier: Carrier,
  outcome: { kind: "failed"; code: string | undefined; message: string } | { kind: "silent" },
): Promise<Error> {
  const { host, port } = carrier;
  const { url } = trail.gateway.target;
  const holders = await describeLocalHolders(carrier);
  const seen =
    outcome.kind === "silent"
      ? { tls: "no answer" }
      : { tls: shortTlsMessage(outcome.message), errno: outcome.code };
  const plain = await speaksPlainHttp(trail, carrier);
  if (plain !== undefined) {
    const plainUrl = url.replace(/^wss:/u, "ws:");
    return fault("TLS_TO_PLAIN_PORT", `${host}:${port} speaks no TLS; plain HTTP is answered.`, {
      at: "tls",
      evidence: { ...seen, plain },
      fix: pointTo(trail, plainUrl),
      hint: "Plain ws:// is for loopback, an SSH tunnel, a tailnet or a network of your own. To have TLS there: gateway.tls.enabled on the Gateway's machine.",
    });
  }
  return fault("TLS_FAILED", `TLS with ${host}:${port} does not come about.`, {
    at: "tls",
    evidence: { ...seen, holders },
    fix: `openssl s_client -connect ${host}:${port}`,
    hint: "Something else than a Gateway holds that port, or the two sides share no version of TLS.",
  });
}

/** OpenSSL puts pointers and file names around the few words that say something. */
function shortTlsMessage(message: string): string {
  return /:([a-z][a-z0-9 ]+):[^:]*:\d+:\s*$/iu.exec(message.trim())?.[1] ?? message.slice(0, 120);
}

async function speaksPlainHttp(trail: Trail, carrier: Carrier): Promise<string | undefined> {
  const { signal } = trail.interruption;
  const timeoutMs = trail.budget.explain(EXPLAIN_MS);
  try {
    const stream = await carrier.open({ timeoutMs, signal });
    const host = new URL(trail.gateway.target.url).host;
    const answer = await askForUpgrade(stream, { host, path: "/", timeoutMs, signal });
    if (answer.kind === "switched") {
      answer.stream.destroy();
      return "HTTP 101";
    }
    return answer.kind === "http" ? `HTTP ${answer.status}` : undefined;
  } catch {
    return undefined;
  }
}

interface DateFault {
  readonly objection: Extract<TlsObjection, { kind: "date" }>;
  readonly shown: ShownCertificate | undefined;
  readonly socket: Parameters<typeof dateOfServer>[0];
}

/** A certificate out of its time is its own fault, or that of the clock here. */
async function explainDate(
  trail: Trail,
  carrier: Carrier,
  { objection, shown, socket }: DateFault,
): Promise<Error> {
  const { host, port } = carrier;
  const serverMs = await dateOfServer(socket, {
    host: new URL(trail.gateway.target.url).host,
    timeoutMs: trail.budget.explain(EXPLAIN_MS),
    signal: trail.interruption.signal,
  });
  const nowMs = Date.now();
  const { notBeforeMs = 0, notAfterMs = 0 } = shown ?? {};
  const evidence = {
    notBefore: isoDate(notBeforeMs),
    notAfter: isoDate(notAfterMs),
    clockHere: isoDate(nowMs),
    clockThere: serverMs === undefined ? undefined : isoDate(serverMs),
  };
  const holdsThere = serverMs !== undefined && serverMs >= notBeforeMs && serverMs <= notAfterMs;
  if (serverMs !== undefined && holdsThere && isSkewed(nowMs - serverMs)) {
    return fault(
      "CLOCK_WRONG",
      `the certificate of ${host}:${port} holds by the server's clock and not by this machine's, which is ${describeSkew(nowMs - serverMs)}.`,
      {
        at: "tls",
        evidence,
        fix: platformCommands().setClock,
        hint: "On whichever of the two machines has the wrong time.",
      },
    );
  }
  const [code, words] = objection.isExpired
    ? (["CERTIFICATE_EXPIRED", "has expired"] as const)
    : (["CERTIFICATE_NOT_YET_VALID", "is not valid yet"] as const);
  return fault(code, `the certificate of ${host}:${port} ${words}.`, {
    at: "tls",
    evidence,
    fix: "openclaw gateway certificate --renew",
    hint: "On the Gateway's machine. Where a proxy serves the certificate, renew it there.",
  });
}

function explainObjection(
  trail: Trail,
  objection: Exclude<TlsObjection, { kind: "date" }>,
  shown: ShownCertificate | undefined,
): Error {
  const { context, gateway } = trail;
  const { target } = gateway;
  const { host } = new URL(target.url);
  if (objection.kind === "pin") {
    const isOwn = target.kind === "local" || target.kind === "port-flag";
    const found = shown && { fingerprint: shown.fingerprint, publicKey: shown.publicKey };
    return fault("TLS_PIN_MISMATCH", `the certificate of ${host} is not the pinned one.`, {
      at: "tls",
      evidence: {
        expected: pinsOf(target.tlsFingerprint).map(formatTlsPin),
        found: found ?? "no certificate",
      },
      fix: isOwn
        ? context.commandLine("gateway restart")
        : pinCommand(trail, shown?.publicKey ?? "<pin>"),
      hint: isOwn
        ? "Another program holds the port, or the Gateway still shows a former certificate."
        : "Somebody may sit in between, and nothing was sent to him. Only if openclaw gateway status on the Gateway's own machine shows the same public key.",
    });
  }
  if (objection.kind === "name") {
    return fault("CERTIFICATE_WRONG_NAME", `the certificate of ${host} is for another name.`, {
      at: "tls",
      evidence: { reason: objection.message },
      fix: pointTo(trail, "wss://<the name in the certificate>"),
      hint: `Or pin it: ${pinCommand(trail, "<pin>")}, with what openclaw gateway status shows on the Gateway's own machine.`,
    });
  }
  // What came over the line is not offered for pinning: whoever sits in between would have sent it.
  return fault("CERTIFICATE_UNTRUSTED", `nobody whom this machine trusts vouches for ${host}.`, {
    at: "tls",
    evidence: { openssl: objection.code },
    fix: pinCommand(trail, "<pin>"),
    hint: "<pin> is the public key that openclaw gateway status shows on the Gateway's own machine.",
  });
}

function pinCommand({ context, gateway }: Trail, pin: string): string {
  const { kind, url } = gateway.target;
  return kind === "remote"
    ? context.commandLine(`config set gateway.remote.tlsFingerprint ${pin}`)
    : context.commandLine(`doctor connect ${url} --tls-fingerprint ${pin}`);
}

/** The same Gateway by another URL. */
export function pointTo({ context, gateway }: Trail, url: string): string {
  const { kind } = gateway.target;
  if (kind === "remote") return context.commandLine(`config set gateway.remote.url ${url}`);
  if (kind === "local" || kind === "port-flag") {
    return context.commandLine(`config set gateway.tls.enabled ${url.startsWith("wss:")}`);
  }
  return context.commandLine(`doctor connect ${url}`);
}

function isoDate(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "unknown" : date.toISOString();
}
