import { safeText } from "@openclaw/app-kit";
import type { OpenForward } from "@openclaw/tunnel";
import { ago, duration } from "../output/time.ts";
import type { CommandContext } from "../program/command-context.ts";
import { runtimeText } from "../service/service-report.ts";
import type { KnownTunnel } from "./find-tunnels.ts";
import type { TunnelRecord } from "./tunnel-record.ts";
import { bytesText, cryptographyText, engineText, forwardText, NOT_NATIVE } from "./tunnel-text.ts";

type Field = readonly [label: string, value: string | undefined];

/** All there is to say about a tunnel. */
export function tunnelFields(tunnel: KnownTunnel, context: CommandContext): Field[] {
  const { style } = context;
  const { name, target, record, service, failure } = tunnel;
  const status = service?.status;
  return [
    ["Tunnel:", style.bold(name)],
    ["Target:", target === undefined ? "as the config says" : safeText(target)],
    ["State:", stateText(tunnel, context)],
    ...(record?.cause === undefined ? [] : causeFields(record.cause, context)),
    ...(failure === undefined ? [] : causeFields(failure.cause, context)),
    ["Process:", record === undefined ? undefined : processText(record)],
    ...(record?.forwards ?? []).map((forward, index): Field => [
      index === 0 ? "Forwards:" : "",
      `${forwardText(forward)}  ${style.dim(trafficText(forward))}`,
    ]),
    ...engineFields(record),
    [
      "Service:",
      status === undefined
        ? style.dim("not installed")
        : `${status.label} (${status.loaded ? status.loadedText : status.notLoadedText}), ${runtimeText(status.runtime)}`,
    ],
    ["Service file:", status?.command?.sourcePath],
  ];
}

/** In one line, for the table and for the fields. */
export function stateText(
  { record, failure, service }: KnownTunnel,
  context: CommandContext,
): string {
  const { style } = context;
  const now = Date.now();
  if (record === undefined) {
    if (failure !== undefined) return style.bad(`gave up ${ago(failure.at, now)}`);
    return service?.status.runtime.status === "running" ? "starting" : style.warn("stopped");
  }
  switch (record.state) {
    case "open":
      return style.good(`open for ${duration(now - record.since)}${timesText(record)}`);
    case "waiting": {
      const wait = Math.max(0, (record.retryAt ?? now) - now);
      return style.warn(`waiting; next attempt in ${duration(wait)}`);
    }
    case "connecting":
      return style.warn(
        `connecting${(record.attempt ?? 1) > 1 ? ` (attempt ${record.attempt})` : ""}`,
      );
    case "draining":
      return "closing";
  }
}

function timesText({ generation }: TunnelRecord): string {
  return generation > 1 ? `, connection ${generation}` : "";
}

function causeFields(
  { message, hint }: { message: string; hint?: string | undefined },
  { style }: CommandContext,
): Field[] {
  return [
    ["Cause:", safeText(message)],
    ["", hint === undefined ? undefined : style.dim(safeText(hint))],
  ];
}

function processText({ pid, isService }: TunnelRecord): string {
  return `pid ${pid}, ${isService ? "a service" : "in the foreground"}`;
}

function trafficText({ connections, waiting, bytesIn, bytesOut }: OpenForward): string {
  const parts = [
    `${connections} open`,
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
    `${bytesText(bytesIn)} in`,
    `${bytesText(bytesOut)} out`,
  ];
  return parts.join(", ");
}

function engineFields(record: TunnelRecord | undefined): Field[] {
  const engine = record?.engine;
  if (engine === undefined) return [];
  const { reason, cipher, serverVersion, hostKey } = engine;
  return [
    ["Engine:", `${engineText(engine)} (${safeText(reason)})`],
    ["Cipher:", cipher === undefined ? undefined : safeText(cipher)],
    [
      "",
      engine.cryptography === "javascript"
        ? `${cryptographyText(engine)} ${NOT_NATIVE}`
        : cryptographyText(engine),
    ],
    ["Server:", serverVersion === undefined ? undefined : safeText(serverVersion)],
    [
      "Host key:",
      hostKey === undefined
        ? undefined
        : `${safeText(hostKey.keyType)} ${safeText(hostKey.fingerprint)}`,
    ],
  ];
}
