import { asObject } from "@openclaw/app-kit";
import { isAlive, readInstance } from "@openclaw/gateway/instance-file";
import type { CommandContext } from "../program/command-context.ts";

/** What Tailscale shows of this machine's Gateway; by what runs, else by what the config asks for. */
export interface LocalExposure {
  readonly mode: string;
  /** Whether a running Gateway says so. */
  readonly isUp: boolean;
  /** Name in the tailnet. */
  readonly dnsName: string | null;
  readonly url: string | null;
  readonly wsUrl: string | null;
}

/** Reads what the Gateway of this machine has left; asks neither it nor Tailscale. */
export function readLocalExposure(
  { paths }: Pick<CommandContext, "paths">,
  config: object,
): LocalExposure {
  const instance = readInstance(paths.stateDir);
  const ways = instance !== undefined && isAlive(instance.pid) ? instance.ways : undefined;
  const none = { dnsName: null, url: null, wsUrl: null };
  if (ways === undefined) return { mode: configuredMode(config), isUp: false, ...none };
  if (ways.exposure === undefined) return { mode: "off", isUp: false, ...none };
  const { mode, url, wsUrl } = ways.exposure;
  const dnsName = URL.canParse(url) ? new URL(url).hostname : null;
  return { mode, isUp: true, dnsName, url, wsUrl };
}

/** `off`, or `serve · box.tail1234.ts.net · https://box.tail1234.ts.net/`. */
export function describeExposure({ mode, isUp, dnsName, url }: LocalExposure): string {
  if (mode === "off") return "off";
  return isUp ? [mode, dnsName, url].join(" · ") : `${mode} · not running`;
}

function configuredMode(config: object): string {
  const gateway = asObject(asObject(config)["gateway"]);
  const mode = asObject(gateway["tailscale"])["mode"];
  return mode === "serve" || mode === "funnel" ? mode : "off";
}
