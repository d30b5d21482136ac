import type { Duplex } from "node:stream";
import { safeText } from "@openclaw/app-kit";
import { StepFailure, type Taken } from "../../remote/walk.ts";
import { type Carrier, errnoOf } from "./carrier.ts";
import { describeSkew, isSkewed, parseDate } from "./clock.ts";
import { fault } from "./faults.ts";
import { readGreeting } from "./greeting.ts";
import { askForUpgrade, fetchPage, type HttpAnswer } from "./http-probe.ts";
import { explainHttpRefusal, type HttpRefusal, type Readiness } from "./judge-upgrade.ts";
import { describeLocalHolders, findSshHolder } from "./local-facts.ts";
import { platformCommands } from "./platform-commands.ts";
import { isLoopback } from "./route-link.ts";
import { shakeTls } from "./tls-handshake.ts";
import { pointTo } from "./tls-link.ts";
import type { Trail } from "./trail.ts";

/** Long: a proxy tries for some seconds to reach what is behind it, before it says that it cannot. */
const UPGRADE_SHARE_MS = 3_400;
const CHALLENGE_SHARE_MS = 1_000;
const EXPLAIN_MS = 500;
/** Of what somebody else sent, so much is shown. */
const SHOWN_CHARS = 80;

type Switched = Extract<HttpAnswer, { kind: "switched" }>;

/** Asks for the WebSocket as a client does, without a credential. @throws {StepFailure} of `upgrade` */
export async function openWebSocket(trail: Trail, carrier: Carrier): Promise<Taken<Switched>> {
  const { context, gateway, budget, interruption } = trail;
  const { signal } = interruption;
  const url = new URL(gateway.target.url);
  const timeoutMs = budget.step(UPGRADE_SHARE_MS);
  const stream = await openStream(trail, carrier, timeoutMs).catch(async (cause: unknown) => {
    signal.throwIfAborted();
    if (cause instanceof StepFailure) throw cause;
    throw await closedFault(trail, carrier, errnoOf(cause));
  });
  const origin = context.text("origin");
  const answer = await askForUpgrade(stream, {
    host: url.host,
    path: `${url.pathname}${url.search}`,
    timeoutMs,
    signal,
    headers: origin === undefined ? {} : { Origin: origin },
  });
  if (answer.kind === "switched") return { value: answer, detail: "HTTP 101" };
  throw await explainNoUpgrade(trail, carrier, answer);
}

/** Waits for the Gateway's challenge. @throws {StepFailure} of the step `challenge` */
export async function awaitChallenge(
  trail: Trail,
  { stream, head, headers }: Switched,
): Promise<Taken<undefined>> {
  const timeoutMs = trail.budget.step(CHALLENGE_SHARE_MS);
  const greeting = await readGreeting(stream, head, {
    timeoutMs,
    signal: trail.interruption.signal,
  });
  if (greeting.kind === "challenge") {
    noteSkew(trail, greeting.serverMs ?? parseDate(headers.date));
    return { value: undefined, detail: "connect.challenge" };
  }
  const at = "challenge" as const;
  const { context, gateway } = trail;
  const { host } = new URL(gateway.target.url);
  if (greeting.kind === "other") {
    throw fault("NOT_A_GATEWAY", `a WebSocket opens at ${host}, and it is not a Gateway's.`, {
      at,
      evidence: { firstFrame: safeText(greeting.text).slice(0, SHOWN_CHARS) },
      fix: context.commandLine("doctor connect <target>"),
      hint: "Another program holds that port, or a proxy leads to another service: check host, port and path.",
    });
  }
  const seen =
    greeting.kind === "closed"
      ? { closeCode: greeting.closeCode ?? 1006, reason: safeText(greeting.reason) }
      : { waitedMs: timeoutMs };
  throw fault("NO_CHALLENGE", `a WebSocket opens at ${host}, and no challenge comes.`, {
    at,
    evidence: seen,
    fix: "openclaw gateway restart",
    hint: "On the Gateway's machine. It hangs, or something in between holds its answer back; or it is not a Gateway at all.",
  });
}

/** A wrong clock here breaks nothing by itself; it is the reason of much that does. */
function noteSkew(trail: Trail, serverMs: number | undefined): void {
  if (serverMs === undefined) return;
  const skewMs = Date.now() - serverMs;
  if (!isSkewed(skewMs)) return;
  trail.note({
    code: "CLOCK_SKEW",
    message: `the clock of this machine is not that of the Gateway: it is ${describeSkew(skewMs)}. Certificates and logs go by the clock; pairing does not.`,
    fix: platformCommands().setClock,
  });
}

/** A stream to where HTTP is spoken; TLS has been judged by the step before. */
async function openStream(trail: Trail, carrier: Carrier, timeoutMs: number): Promise<Duplex> {
  const { signal } = trail.interruption;
  const stream = await carrier.open({ timeoutMs, signal });
  const url = new URL(trail.gateway.target.url);
  if (url.protocol !== "wss:") return stream;
  const host = url.hostname.replace(/^\[|\]$/gu, "");
  const outcome = await shakeTls(stream, { host, pins: [], timeoutMs, signal });
  if (outcome.kind === "encrypted") return outcome.socket;
  throw Object.assign(new Error("TLS did not come about a second time"), { code: "ECONNRESET" });
}

async function explainNoUpgrade(
  trail: Trail,
  carrier: Carrier,
  answer: Exclude<HttpAnswer, Switched>,
): Promise<Error> {
  const isPlain = trail.gateway.target.url.startsWith("ws:");
  if (isPlain && mayBeTls(answer) && (await speaksTls(trail, carrier))) {
    return tlsFault(trail, carrier, answer);
  }
  switch (answer.kind) {
    case "http":
      return explainHttpRefusal(trail, {
        ...answer,
        ...(await askHealth(trail, carrier)),
        holders: await describeLocalHolders(carrier),
      } satisfies HttpRefusal);
    case "bytes":
      return notAGateway(trail, carrier, { firstBytes: shown(answer.bytes) });
    case "closed":
      return closedFault(trail, carrier, answer.code);
    case "silent":
      return fault(
        "UPGRADE_NO_ANSWER",
        `${carrier.host}:${carrier.port} accepts the connection and does not answer.`,
        {
          at: "upgrade",
          evidence: { waited: true, holders: await describeLocalHolders(carrier) },
          fix: "openclaw gateway restart",
          hint: "On the Gateway's machine. It hangs, or a forward or proxy on the way leads nowhere.",
        },
      );
  }
}

function shown(bytes: Buffer): string {
  return safeText(bytes.subarray(0, SHOWN_CHARS).toString("latin1"));
}

/** Whether a TLS server may have given this answer to a plain request. */
function mayBeTls(answer: Exclude<HttpAnswer, Switched>): boolean {
  if (answer.kind === "http") return answer.status === 400;
  // A TLS alert (RFC 8446 §6), or nothing at all.
  return answer.kind === "closed" || (answer.kind === "bytes" && answer.bytes[0] === 0x15);
}

async function speaksTls(trail: Trail, carrier: Carrier): Promise<boolean> {
  const { signal } = trail.interruption;
  const timeoutMs = trail.budget.explain(EXPLAIN_MS);
  try {
    const stream = await carrier.open({ timeoutMs, signal });
    const outcome = await shakeTls(stream, { host: carrier.host, pins: [], timeoutMs, signal });
    if (outcome.kind !== "encrypted") return false;
    outcome.socket.destroy();
    return true;
  } catch {
    return false;
  }
}

function tlsFault(trail: Trail, { host, port }: Carrier, answer: HttpAnswer): Error {
  const plain =
    answer.kind === "http"
      ? `HTTP ${answer.status}`
      : answer.kind === "bytes"
        ? "a TLS alert"
        : "hung up";
  return fault("PLAIN_TO_TLS_PORT", `${host}:${port} speaks TLS, and the URL says ws://.`, {
    at: "upgrade",
    evidence: { plain, tls: "handshake completed" },
    fix: pointTo(trail, trail.gateway.target.url.replace(/^ws:/u, "wss:")),
    hint: "A certificate that no authority has signed has to be pinned: --tls-fingerprint with what openclaw gateway status shows on the Gateway's own machine.",
  });
}

/** What the probe pages say; that they are there tells a Gateway from anything else. */
async function askHealth(
  trail: Trail,
  carrier: Carrier,
): Promise<{ isGateway: boolean; readiness: Readiness | undefined }> {
  const pages = await Promise.all(
    ["/healthz", "/readyz"].map(async (path) => {
      const { signal } = trail.interruption;
      const timeoutMs = trail.budget.explain(EXPLAIN_MS);
      try {
        const stream = await openStream(trail, carrier, timeoutMs);
        const { host } = new URL(trail.gateway.target.url);
        const answer = await fetchPage(stream, { host, path, timeoutMs, signal });
        return answer.kind === "http" ? (JSON.parse(answer.body) as unknown) : undefined;
      } catch {
        return undefined;
      }
    }),
  );
  const [health, ready] = pages as Record<string, unknown>[];
  return {
    isGateway: health?.["status"] === "live" || typeof ready?.["ready"] === "boolean",
    readiness:
      typeof ready?.["ready"] === "boolean"
        ? {
            isReady: ready["ready"],
            failing: Array.isArray(ready["failing"]) ? ready["failing"].map(safeText) : [],
          }
        : undefined,
  };
}

async function notAGateway(trail: Trail, carrier: Carrier, seen: object): Promise<Error> {
  const { host, port } = carrier;
  return fault("NOT_A_GATEWAY", `what listens on ${host}:${port} is not a Gateway.`, {
    at: "upgrade",
    evidence: { ...seen, holders: await describeLocalHolders(carrier) },
    fix: trail.context.commandLine("gateway status"),
    hint: "Another program holds that port. On the Gateway's machine that command shows where the Gateway listens.",
  });
}

/** It took the connection and hung up without a byte: what forwards without a far end do. */
async function closedFault(
  trail: Trail,
  carrier: Carrier,
  errno: string | undefined,
): Promise<Error> {
  const { host, port, kind } = carrier;
  const { context, gateway } = trail;
  const isHere = kind === "network" && isLoopback(host, []);
  const ssh = isHere ? await findSshHolder(port) : undefined;
  const evidence = { errno, bytes: 0, holders: await describeLocalHolders(carrier) };
  if (ssh !== undefined || gateway.target.kind === "remote") {
    const what = ssh === undefined ? "a forward" : `ssh, pid ${ssh.pid},`;
    return fault(
      "DEAD_FORWARD",
      `${what} holds ${host}:${port}, takes connections and drops them: its far end leads to nothing.`,
      {
        at: "upgrade",
        evidence,
        fix: "openclaw gateway start",
        hint: `On the machine that the forward leads to; or the forward names a wrong port there. ${context.commandLine("remote set me@box")} needs no forward of your own.`,
      },
    );
  }
  return fault("CLOSED_AT_ONCE", `${host}:${port} takes connections and drops them.`, {
    at: "upgrade",
    evidence,
    fix: "openclaw gateway status",
    hint: "On that machine. It is a forward without a far end, or another program than the Gateway.",
  });
}
