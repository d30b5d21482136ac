import { safeText } from "@openclaw/app-kit";
import type { Style } from "../output/style.ts";
import { renderTable } from "../output/table.ts";
import { shortId } from "../output/text.ts";
import { ago } from "../output/time.ts";
import {
  type DeviceRequest,
  type DeviceToken,
  type PairedDevice,
  rolesOf,
} from "./device-entry.ts";

/** How a device is called in a sentence: its name and the beginning of its id. */
export function deviceName(device: {
  deviceId: string;
  displayName?: string | undefined;
  operatorLabel?: string | undefined;
}): string {
  const name = safeText(device.operatorLabel ?? device.displayName);
  return name === "" ? shortId(device.deviceId) : `${name} (${shortId(device.deviceId)})`;
}

export function deviceRequestTable(
  requests: readonly DeviceRequest[],
  style: Style,
  nowMs: number,
): string {
  return renderTable(
    ["Request", "Device", "Role", "Scopes", "IP", "Age", "Flags"],
    requests.map((request) => [
      safeText(request.requestId),
      deviceName(request),
      safeText(rolesOf(request).join(", ")),
      shortScopes(request.scopes),
      safeText(request.remoteIp),
      ago(request.ts, nowMs),
      request.isRepair === true ? "repair" : "",
    ]),
    style,
  );
}

export function pairedDeviceTable(devices: readonly PairedDevice[], style: Style): string {
  return renderTable(
    ["Device", "Roles", "Scopes", "Tokens", "IP", "Status"],
    devices.map((device) => [
      deviceName(device),
      safeText(rolesOf(device).join(", ")),
      shortScopes(device.scopes),
      (device.tokens ?? []).map((token) => tokenState(token)).join(", "),
      safeText(device.remoteIp),
      device.connected === true ? style.good("connected") : "",
    ]),
    style,
  );
}

function tokenState({ role, revokedAtMs }: DeviceToken): string {
  return revokedAtMs === undefined ? safeText(role) : `${safeText(role)} (revoked)`;
}

/** `operator.read` says no more than `read` under a heading that reads Scopes. */
function shortScopes(scopes: readonly string[] = []): string {
  return scopes.map((scope) => safeText(scope).replace(/^operator\./, "")).join(", ");
}
