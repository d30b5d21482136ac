import type { GatewayInstance } from "@openclaw/gateway/instance-file";

/** What a script learns of a Gateway that was started: where it is, and what it asks for. */
export function instanceFields({ pid, url, ways }: GatewayInstance) {
  return {
    pid,
    url,
    ...(ways === undefined
      ? {}
      : {
          urls: ways.urls,
          authMode: ways.authMode,
          exposure: ways.exposure ?? null,
          tlsFingerprint: ways.tlsFingerprint ?? null,
        }),
  };
}
