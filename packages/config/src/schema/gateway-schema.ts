import { z } from "zod";
import { isGatewayAddress } from "../gateway-address.ts";
import { parseSshAddress } from "../ssh-address.ts";
import {
  checked,
  flag,
  int,
  matching,
  oneOf,
  openSection,
  section,
  text,
  texts,
} from "./leaves.ts";

const octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";

const auth = section({
  mode: oneOf(["token", "password", "none", "trusted-proxy"]).optional(),
  token: text().optional(),
  password: text().optional(),
  allowTailscale: flag().optional(),
  rateLimit: section({
    maxAttempts: int(1).optional(),
    windowMs: int(1).optional(),
    lockoutMs: int(0).optional(),
    exemptLoopback: flag().optional(),
  }).optional(),
  trustedProxy: openSection().optional(),
});

const controlUi = section({
  enabled: flag().optional(),
  basePath: text().optional(),
  allowInsecureAuth: flag().optional(),
  dangerouslyDisableDeviceAuth: flag().optional(),
  allowedOrigins: texts().optional(),
  dangerouslyAllowHostHeaderOriginFallback: flag().optional(),
});

const remote = section({
  url: checked(
    isGatewayAddress,
    "a ws:// or wss:// URL, or the SSH address of its host, such as ssh://me@box",
  ).optional(),
  transport: oneOf(["ssh", "direct"]).optional(),
  token: text().optional(),
  password: text().optional(),
  tlsFingerprint: matching(
    /^(?:[0-9a-f]{2}:?){31}[0-9a-f]{2}$/iu,
    "a SHA-256 fingerprint, 64 hex digits, colons optional",
  ).optional(),
  sshTarget: checked(
    (value) => parseSshAddress(value).ok,
    "an SSH target such as me@box, box:2222 or an ssh_config alias",
  ).optional(),
  sshIdentity: text().optional(),
  remotePort: int(1, 65_535).optional(),
  sshHostKeyPolicy: oneOf(["strict", "openssh", "accept-new"]).optional(),
  edgeAuth: z.record(z.string(), text(), "an object of strings").optional(),
});

const endpointFiles = {
  allowUrl: flag().optional(),
  urlAllowlist: texts().optional(),
  allowedMimes: texts().optional(),
  maxBytes: int(1).optional(),
  maxRedirects: int(0).optional(),
  timeoutMs: int(1).optional(),
};

const http = section({
  endpoints: section({
    chatCompletions: section({ enabled: flag().optional() }).optional(),
    responses: section({
      enabled: flag().optional(),
      maxBodyBytes: int(1).optional(),
      files: section({
        ...endpointFiles,
        maxChars: int(1).optional(),
        pdf: section({
          maxPages: int(1).optional(),
          maxPixels: int(1).optional(),
          minTextChars: int(0).optional(),
        }).optional(),
      }).optional(),
      images: section(endpointFiles).optional(),
    }).optional(),
  }).optional(),
  securityHeaders: section({
    strictTransportSecurity: z.union([text(), z.literal(false)], "a string or false").optional(),
  }).optional(),
});

const nodes = section({
  browser: section({
    mode: oneOf(["auto", "manual", "off"]).optional(),
    node: text().optional(),
  }).optional(),
  allowCommands: texts().optional(),
  denyCommands: texts().optional(),
  commands: section({ allow: texts().optional(), deny: texts().optional() }).optional(),
  pairing: section({
    autoApproveLocal: flag().optional(),
    autoApproveCidrs: texts().optional(),
    sshVerify: z.union([z.boolean(), openSection()], "true, false or an object").optional(),
  }).optional(),
  pluginTools: section({ enabled: flag().optional() }).optional(),
  allowSkills: flag().optional(),
});

/** How long a ledger keeps the results of invocations, and how sure it makes itself of them. */
export const ledgerSchema = section({
  durability: oneOf(["process", "power"]).optional(),
  retentionMs: int(1).optional(),
  maxEntries: int(1).optional(),
  maxBytes: int(1).optional(),
});

/** The `gateway` section. Every key may be missing; defaults belong to those who read it. */
export const gatewaySchema = section({
  mode: oneOf(["local", "remote"]).optional(),
  port: int(1, 65_535).optional(),
  bind: oneOf(["loopback", "lan", "tailnet", "auto", "custom"]).optional(),
  customBindHost: matching(
    new RegExp(`^${octet}(?:\\.${octet}){3}$`, "u"),
    "an IPv4 address",
  ).optional(),
  trustedProxies: texts().optional(),
  allowRealIpFallback: flag().optional(),
  auth: auth.optional(),
  controlUi: controlUi.optional(),
  tailscale: section({
    mode: oneOf(["off", "serve", "funnel"]).optional(),
    resetOnExit: flag().optional(),
    preserveFunnel: flag().optional(),
  }).optional(),
  remote: remote.optional(),
  tls: section({
    enabled: flag().optional(),
    autoGenerate: flag().optional(),
    certPath: text().optional(),
    keyPath: text().optional(),
    caPath: text().optional(),
  }).optional(),
  reload: section({
    mode: oneOf(["off", "restart", "hot", "hybrid"]).optional(),
    debounceMs: int(0).optional(),
  }).optional(),
  http: http.optional(),
  nodes: nodes.optional(),
  ledger: ledgerSchema.optional(),
});
