export { isBindable } from "./addresses/is-bindable.ts";
export { lanAddresses } from "./addresses/lan-addresses.ts";
export { tailnetAddresses } from "./addresses/tailnet-addresses.ts";
export { ExposureError } from "./exposure-error.ts";
export { createTailscale } from "./tailscale/create-tailscale.ts";
export { findExposure } from "./tailscale/find-exposure.ts";
export {
  loadGatewayCertificate,
  ownCertificatePaths,
  readGatewayCertificate,
  renewGatewayCertificate,
} from "./tls/gateway-certificate.ts";

export type { TailnetAddresses } from "./addresses/tailnet-addresses.ts";
export type { ExposureErrorCode } from "./exposure-error.ts";
export type { CertificateOptions, GatewayCertificate } from "./tls/gateway-certificate.ts";
export type { FoundExposure } from "./tailscale/find-exposure.ts";
export type { TailscaleOptions } from "./tailscale/create-tailscale.ts";
export type { TailnetIdentity } from "./tailscale/tailnet-identity.ts";
export type {
  ExposeOptions,
  Exposure,
  ExposureCheck,
  RepairReport,
  Tailscale,
} from "./tailscale/tailscale.ts";
export type { TailscaleStatus } from "./tailscale/tailscale-status.ts";
