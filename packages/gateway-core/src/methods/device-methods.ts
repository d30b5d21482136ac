import { encodeSetupCode, methodSchemas, scopeAllows } from "@openclaw/protocol";
import { invalidRequest } from "../errors.ts";
import type { GatewayContext } from "../gateway-context.ts";
import type { DeviceRecord, RoleGrant } from "../pairing/device-record.ts";
import { plainText } from "../plain-text.ts";
import { publicRequest } from "../pairing/pairing-service.ts";
import { planSetup } from "../pairing/setup-address.ts";
import { accessOf } from "../pairing/setup-profile.ts";
import { type GatewayCall, defineGatewayMethod } from "./gateway-method.ts";

/** Pairing of devices and their tokens. */
export const deviceMethods = [
  defineGatewayMethod({
    name: "device.pair.list",
    access: "operator.pairing",
    ...methodSchemas["device.pair.list"],
    summary: "Devices that wait for a decision, and devices that are paired.",
    handler: (_params, { caller, gateway }) => {
      const own = restrictedTo(caller.scopes, caller.connection?.identity.deviceId);
      const mine = ({ deviceId }: { deviceId: string }): boolean =>
        own === undefined || deviceId === own;
      return {
        pending: gateway.devices.requests().filter(mine).map(publicRequest),
        paired: gateway.devices
          .list()
          .filter(mine)
          .map((record) => pairedDevice(record, gateway)),
      };
    },
  }),
  defineGatewayMethod({
    name: "device.pair.approve",
    access: "operator.pairing",
    ...methodSchemas["device.pair.approve"],
    summary:
      "Lets a waiting device in. A node's declared surface is approved with it, if the caller may approve that.",
    handler: ({ requestId }, { caller, gateway }) => {
      const record = gateway.pairing.approveDevice(requestId, caller.scopes);
      return { requestId, device: pairedDevice(record, gateway) };
    },
  }),
  defineGatewayMethod({
    name: "device.pair.reject",
    access: "operator.pairing",
    ...methodSchemas["device.pair.reject"],
    summary: "Turns a waiting device away.",
    handler: ({ requestId }, { gateway }) => {
      const { deviceId } = gateway.pairing.rejectDevice(requestId);
      return { requestId, deviceId };
    },
  }),
  defineGatewayMethod({
    name: "device.pair.remove",
    access: "operator.pairing",
    ...methodSchemas["device.pair.remove"],
    summary: "Forgets a device and ends its connections.",
    handler: ({ deviceId }, { gateway }) => {
      gateway.pairing.removeDevice(deviceId);
      return { deviceId };
    },
  }),
  defineGatewayMethod({
    name: "device.pair.rename",
    access: "operator.pairing",
    ...methodSchemas["device.pair.rename"],
    summary: "Gives a device a label of the operator's own.",
    handler: ({ deviceId, label }, { gateway }) => {
      rename(gateway, deviceId, label, "unknown deviceId");
      return { deviceId, label };
    },
  }),
  defineGatewayMethod({
    name: "device.pair.setupCode",
    // Every code lets a node in with what it may run, which wants an administrator to approve.
    access: "operator.admin",
    advertised: false,
    ...methodSchemas["device.pair.setupCode"],
    summary: "Makes a setup code that lets one device in, once, within ten minutes.",
    handler: ({ publicUrl, bootstrapProfile }, { gateway }) => {
      const { setup, auth } = gateway.options;
      const plan = planSetup({
        publicUrl,
        known: setup?.urls() ?? [],
        profile: bootstrapProfile ?? "full",
      });
      if (!plan.ok) throw invalidRequest(plan.message);
      const { setupId, bootstrapToken, expiresAtMs } = gateway.setups.issue(plan.profile);
      const { url, urls, urlSource } = plan;
      // A pin is of the Gateway's own certificate, and says nothing about another in front of it.
      const tlsFingerprint = urlSource === "gateway" ? setup?.tlsFingerprint?.() : undefined;
      const code = {
        url,
        bootstrapToken,
        expiresAtMs,
        ...(urls.length > 1 ? { urls: [...urls] } : {}),
        ...(tlsFingerprint === undefined ? {} : { tlsFingerprint }),
      };
      return {
        setupId,
        expiresAtMs,
        setupCode: encodeSetupCode(code),
        gatewayUrl: url,
        ...(urls.length > 1 ? { gatewayUrls: urls } : {}),
        auth: auth.mode,
        urlSource,
        access: accessOf(plan.profile),
        ...(plan.isDowngraded ? { accessDowngraded: true } : {}),
      };
    },
  }),
  defineGatewayMethod({
    name: "device.pair.setupStatus",
    access: "operator.pairing",
    advertised: false,
    ...methodSchemas["device.pair.setupStatus"],
    summary:
      "Whether a setup code has been used, and by whom. An expired one answers as an unused one.",
    handler: ({ setupId }, { gateway }) => {
      const completion = gateway.setups.get(setupId)?.completion;
      return completion === undefined ? {} : { completion };
    },
  }),
  defineGatewayMethod({
    name: "device.pair.setupList",
    access: "operator.pairing",
    advertised: false,
    ...methodSchemas["device.pair.setupList"],
    summary: "The setup codes that have not expired, without their secrets.",
    handler: (_params, { gateway }) => ({
      codes: gateway.setups.list().map((code) => ({
        setupId: code.setupId,
        access: accessOf(code.profile),
        createdAtMs: code.createdAtMs,
        expiresAtMs: code.expiresAtMs,
        ...(code.completion === undefined ? {} : { completion: code.completion }),
      })),
    }),
  }),
  defineGatewayMethod({
    name: "device.pair.setupCancel",
    access: "operator.pairing",
    advertised: false,
    ...methodSchemas["device.pair.setupCancel"],
    summary: "Makes a setup code useless. A device that has used it stays paired.",
    handler: ({ setupId }, { gateway }) => {
      if (!gateway.setups.cancel(setupId)) throw invalidRequest("unknown setupId");
      return { setupId };
    },
  }),
  defineGatewayMethod({
    name: "device.token.rotate",
    access: "operator.pairing",
    ...methodSchemas["device.token.rotate"],
    summary: "Makes a device's token invalid and issues another; only the device itself sees it.",
    handler: ({ deviceId, role, scopes }, call) => {
      const record = call.gateway.pairing.rotateToken(deviceId, role, scopes, call.caller.scopes);
      const grant = record.roles[role];
      if (!grant) throw invalidRequest("device token rotation denied");
      const inBand = maySeeToken(call, deviceId);
      return {
        deviceId,
        role,
        scopes: grant.scopes,
        rotatedAtMs: grant.rotatedAtMs,
        tokenDelivery: inBand ? "in-band" : "withheld-cross-device",
        ...(inBand ? { token: call.gateway.tokens.issue(deviceId, role, grant) } : {}),
      };
    },
  }),
  defineGatewayMethod({
    name: "device.token.revoke",
    access: "operator.pairing",
    ...methodSchemas["device.token.revoke"],
    summary: "Makes a device's token invalid and ends its connections in that role.",
    handler: ({ deviceId, role }, { caller, gateway }) => {
      const revokedAtMs = gateway.pairing.revokeToken(deviceId, role, caller.scopes);
      return { deviceId, role, revokedAtMs };
    },
  }),
];

/** Sets an operator's label for a device, for `device.pair.rename` and `node.rename` alike. */
export function rename(
  gateway: GatewayContext,
  deviceId: string,
  label: string,
  unknown: string,
): void {
  if (!gateway.devices.get(deviceId)) throw invalidRequest(unknown);
  const operatorLabel = plainText(label);
  if (operatorLabel === "") throw invalidRequest("label required");
  gateway.devices.touch(deviceId, { operatorLabel });
  gateway.events.broadcast("device.pair.changed", {}, { scope: "operator.pairing" });
}

/** A device that is not an administrator's sees only itself. */
function restrictedTo(scopes: readonly string[], deviceId: string | undefined): string | undefined {
  return scopeAllows(scopes, "operator.admin") ? undefined : deviceId;
}

/** Protocol 3 hands the new token to whoever asked; since then it goes to the device alone. */
function maySeeToken({ caller }: GatewayCall, deviceId: string): boolean {
  const identity = caller.connection?.identity;
  return identity?.deviceId === deviceId || identity?.protocol === 3;
}

function pairedDevice(record: DeviceRecord, gateway: GatewayContext): object {
  const {
    roles,
    nodeSurface,
    operatorLabel,
    version: _version,
    modelIdentifier: _m,
    ...rest
  } = record;
  const { lastConnectedAtMs: _c, lastDisconnectedAtMs: _d, ...shown } = rest;
  const connected = gateway.connections.ofDevice(record.deviceId).length > 0;
  const names = Object.keys(roles);
  const request = gateway.pairing.surfaceRequestOf(record.deviceId);
  return {
    ...shown,
    ...(operatorLabel === undefined ? {} : { operatorLabel }),
    ...(names.includes("operator") ? { role: "operator" } : names[0] ? { role: names[0] } : {}),
    roles: names,
    scopes: [...new Set(Object.values(roles).flatMap((grant) => grant.scopes))],
    tokens: Object.entries(roles).map(([role, grant]) => tokenSummary(role, grant)),
    connected,
    ...(nodeSurface ? { nodeSurface } : {}),
    ...(request
      ? { pendingNodeSurface: { requestId: request.requestId, ...request.surface } }
      : {}),
  };
}

function tokenSummary(role: string, grant: RoleGrant): object {
  const { scopes, createdAtMs, rotatedAtMs, revokedAtMs, lastUsedAtMs } = grant;
  return {
    role,
    scopes,
    createdAtMs,
    ...(rotatedAtMs === undefined ? {} : { rotatedAtMs }),
    ...(revokedAtMs === undefined ? {} : { revokedAtMs }),
    ...(lastUsedAtMs === undefined ? {} : { lastUsedAtMs }),
  };
}
