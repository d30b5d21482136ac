import type { GatewayInstance } from "./instance-file.ts";

/** What a person sees of a Gateway that has just started: where it is, and what it asks for. */
export type BannerFacts = Pick<GatewayInstance, "url" | "ways">;

/**
 * The lines of the banner. Whoever starts a service prints them too, from what the Gateway has left
 * in its state directory.
 */
export function bannerLines({ url, ways }: BannerFacts): string[] {
  const { urls = [url], exposure, authMode, tlsFingerprint } = ways ?? {};
  return [
    ...urls.map((way) => `📡 WebSocket: ${way}`),
    ...(exposure === undefined
      ? []
      : [`🌐 Tailscale ${exposure.mode === "serve" ? "Serve" : "Funnel"}: ${exposure.url}`]),
    ...(authMode === undefined ? [] : [`🔒 Auth mode: ${authMode}`]),
    ...(tlsFingerprint === undefined ? [] : [`🔑 TLS fingerprint (SHA-256): ${tlsFingerprint}`]),
  ];
}
