import { isIP } from "node:net";
import { isGatewayAddress } from "../gateway-address.ts";
import { parseSshAddress } from "../ssh-address.ts";
import { MOST_TLS_PINS, parseTlsPin, TLS_PIN_FORMS } from "../tls-pin.ts";
import {
  checked,
  either,
  flag,
  integer,
  list,
  mapOf,
  oneOf,
  open,
  path,
  port,
  secret,
  section,
  text,
  texts,
} from "./build-node.ts";

const MEBIBYTE = 1024 * 1024;

const auth = section("How the Gateway knows who may use it.", {
  mode: oneOf(
    ["token", "password", "none", "trusted-proxy"],
    "What a client has to show. With both secrets set, say which one counts.",
    { defaultText: '`"password"` when a password is known, else `"token"`' },
  ),
  token: secret("The shared secret of mode `token`; 24 characters or more are advised.", {
    defaultText: "`OPENCLAW_GATEWAY_TOKEN`",
  }),
  password: secret("The shared secret of mode `password`; better kept in the variable.", {
    defaultText: "`OPENCLAW_GATEWAY_PASSWORD`",
  }),
  allowTailscale: flag(
    "Lets those in whom Tailscale Serve vouches for, without the shared secret.",
    { defaultText: "`true` with `gateway.tailscale.mode` `serve`, unless the mode is `password`" },
  ),
  rateLimit: section("How fast somebody may guess.", {
    maxAttempts: integer(1, "Wrong secrets within the window before the delay begins."),
    windowMs: integer(1, "How long a wrong secret is remembered.", { unit: "ms" }),
    lockoutMs: integer(0, "The longest delay before the next attempt.", { unit: "ms" }),
    exemptLoopback: flag("Leaves clients on the same machine alone.", { default: true }),
  }),
  trustedProxy: section(
    "The proxy that authenticates in mode `trusted-proxy`.",
    {
      userHeader: text("Header in which the proxy names the user."),
      requiredHeaders: texts("Headers that a request must carry besides.", {
        default: [],
        isRestriction: true,
      }),
      allowUsers: texts("Users who are let in.", {
        defaultText: "everybody the proxy names",
        isRestriction: true,
      }),
      allowLoopback: flag("Takes the header from a proxy on the same machine.", { default: false }),
    },
    { defaults: "when-present" },
  ),
});

const controlUi = section("The page in the browser.", {
  enabled: flag("Serves the page on the port of the Gateway.", { default: true }),
  basePath: text("Path below which the page is served.", { default: "/" }),
  allowInsecureAuth: flag("Lets the page in by the shared secret alone, over plain HTTP too.", {
    default: false,
  }),
  dangerouslyDisableDeviceAuth: flag("Asks the page for no device key at all.", { default: false }),
  allowedOrigins: texts("Origins besides its own from which a page may connect.", { default: [] }),
  dangerouslyAllowHostHeaderOriginFallback: flag(
    "Takes an origin for its own when it names the host that the request names.",
    { default: false },
  ),
});

const PIN_ALLOWED = `a pin: ${TLS_PIN_FORMS}`;
const pin = checked((value) => parseTlsPin(value).ok, PIN_ALLOWED, "One pin.");

const remote = section(
  "The Gateway that commands on this machine talk to. Never affects a Gateway that runs here.",
  {
    url: checked(
      isGatewayAddress,
      "a ws:// or wss:// URL, or the SSH address of its host, such as ssh://me@box",
      "Where it is. With a tunnel of your own, the local end of it.",
    ),
    transport: oneOf(
      ["ssh", "direct"],
      "Whether the desktop app opens a tunnel, or connects to the URL as it is.",
      { default: "ssh" },
    ),
    token: secret("Its token; sent to this Gateway alone."),
    password: secret("Its password; sent to this Gateway alone."),
    tlsFingerprint: either(
      [
        pin,
        list(pin, "The present key, and the next one.", {
          minItems: 1,
          maxItems: MOST_TLS_PINS,
          allowed: `a list of one or ${MOST_TLS_PINS} pins: ${TLS_PIN_FORMS}`,
        }),
      ],
      `${PIN_ALLOWED}, or a list of two`,
      "The only key that is believed at a `wss://` URL, checked before anything is sent. SHA-256 of the certificate in hex, or of the public key as `sha256//<base64>`; a second entry is the key that comes next.",
    ),
    sshTarget: checked(
      (value) => parseSshAddress(value).ok,
      "an SSH target such as me@box, box:2222 or an ssh_config alias",
      "Host to reach the Gateway through.",
    ),
    sshIdentity: path("Private key for `sshTarget`.", { defaultText: "as ssh chooses" }),
    remotePort: port("Port of the Gateway on its own host.", {
      defaultText: "the port of the tunnel",
    }),
    sshHostKeyPolicy: oneOf(
      ["strict", "openssh", "accept-new"],
      "Which host keys are believed: known ones, whatever ssh_config says, or new ones as well.",
      { default: "strict" },
    ),
    edgeAuth: mapOf(
      secret("Value of the header."),
      "Headers for a proxy in front; `wss://` only.",
      {
        isSecret: true,
      },
    ),
  },
  { reload: "none" },
);

const fetching = {
  allowUrl: flag("Fetches what a request names by URL.", { default: true }),
  urlAllowlist: texts("Hosts that may be fetched from.", {
    defaultText: "every public one",
    isRestriction: true,
  }),
  allowedMimes: texts("Types that are accepted.", { defaultText: "common ones" }),
  maxRedirects: integer(0, "Redirects that are followed.", { default: 3 }),
  timeoutMs: integer(1, "How long a fetch may take.", { default: 10_000, unit: "ms" }),
} as const;

const http = section("HTTP interfaces on the port of the Gateway.", {
  endpoints: section("Which of them answer.", {
    chatCompletions: section("`POST /v1/chat/completions`.", {
      enabled: flag("Answers it.", { default: false }),
    }),
    responses: section("`POST /v1/responses`.", {
      enabled: flag("Answers it.", { default: false }),
      maxBodyBytes: integer(1, "Largest request.", { default: 20 * MEBIBYTE, unit: "bytes" }),
      files: section("Files within a request.", {
        ...fetching,
        maxBytes: integer(1, "Largest file.", { default: 5 * MEBIBYTE, unit: "bytes" }),
        maxChars: integer(1, "Characters that are taken from a file.", { default: 200_000 }),
        pdf: section("PDF files.", {
          maxPages: integer(1, "Pages that are read.", { default: 4 }),
          maxPixels: integer(1, "Pixels of a page that is drawn.", { default: 4_000_000 }),
          minTextChars: integer(0, "With less text than this, pages are drawn.", { default: 200 }),
        }),
      }),
      images: section("Images within a request.", {
        ...fetching,
        maxBytes: integer(1, "Largest image.", { default: 10 * MEBIBYTE, unit: "bytes" }),
      }),
    }),
  }),
  securityHeaders: section("Headers of every answer.", {
    strictTransportSecurity: either(
      [text("Value of the header."), oneOf([false], "Leaves it out.")],
      "a string or false",
      "`Strict-Transport-Security`; `false` leaves it out.",
    ),
  }),
});

const nodes = section("The nodes that connect, and what they may be asked for.", {
  browser: section("Which node lends its browser.", {
    mode: oneOf(["auto", "manual", "off"], "`auto` takes the one node that offers it.", {
      default: "auto",
    }),
    node: text("Id or name of the node for `manual`."),
  }),
  allowCommands: texts("Former name of `commands.allow`; both count.", { default: [] }),
  denyCommands: texts("Former name of `commands.deny`; both count.", {
    default: [],
    isRestriction: true,
  }),
  commands: section("Commands besides what a platform allows by itself.", {
    allow: texts("Allowed as well, by exact name.", { default: [] }),
    deny: texts("Never allowed, by exact name; wins over `allow`.", {
      default: [],
      isRestriction: true,
    }),
  }),
  pairing: section("Nodes that need no approval by hand.", {
    autoApproveLocal: flag("Approves devices and nodes on the same machine.", { default: true }),
    autoApproveCidrs: texts("Networks whose nodes are approved."),
    sshVerify: either(
      [flag("On or off."), open("How.")],
      "true, false or an object",
      "Approves a node that is reached by SSH with the key of its host.",
    ),
  }),
  pluginTools: section("Tools that nodes bring along.", {
    enabled: flag("Uses them."),
  }),
  allowSkills: flag("Uses the skills that nodes bring along."),
});

/** How long a ledger keeps the results of invocations, and how sure it makes itself of them. */
export const ledgerSchema = section("The record of invocations, by which none runs twice.", {
  durability: oneOf(
    ["process", "power"],
    "What a record outlives: the end of the process, or a loss of power too, which costs time.",
    { default: "process" },
  ),
  retentionMs: integer(1, "How long results are kept.", { unit: "ms" }),
  maxEntries: integer(1, "Results that are kept at most."),
  maxBytes: integer(1, "Size of the results that are kept at most.", { unit: "bytes" }),
});

/** The `gateway` section. Every key may be missing. */
export const gatewaySchema = section(
  "The Gateway on this machine, and the way to one elsewhere.",
  {
    mode: oneOf(
      ["local", "remote"],
      "`local` runs a Gateway on this machine, `remote` uses the one of `gateway.remote`.",
    ),
    port: port("Port of everything that the Gateway serves.", { default: 18_789 }),
    bind: oneOf(
      ["loopback", "lan", "tailnet", "auto", "custom"],
      "Where the Gateway can be reached. Anything but `loopback` needs a token or a password.",
      { default: "loopback" },
    ),
    customBindHost: checked(
      (value) => isIP(value) !== 0,
      "an IPv4 or IPv6 address",
      "The address for `bind` `custom`.",
    ),
    trustedProxies: texts(
      "Addresses and networks (CIDR) of proxies whose forwarding headers are believed.",
      { default: [] },
    ),
    allowRealIpFallback: flag(
      "Believes `X-Real-IP` of a trusted proxy that sends nothing better.",
      {
        default: false,
      },
    ),
    allowedHosts: texts(
      "Names besides its own under which the Gateway may be addressed, such as that of a proxy in front; `.example.org` stands for all below.",
      { default: [] },
    ),
    auth,
    controlUi,
    tailscale: section("Ways in through Tailscale.", {
      mode: oneOf(
        ["off", "serve", "funnel"],
        "`serve` shows the Gateway to the tailnet, `funnel` to the internet, by password only.",
        { default: "off" },
      ),
      resetOnExit: flag("Takes the way away again when the Gateway ends.", { default: false }),
      preserveFunnel: flag("Leaves a Funnel alone that was there before.", { default: false }),
    }),
    remote,
    tls: section("TLS of the Gateway's own port.", {
      enabled: flag("Serves `wss://` and `https://` in place of plain text.", { default: false }),
      autoGenerate: flag("Makes a certificate when there is none.", { default: true }),
      certPath: path("Certificate, PEM.", {
        defaultText: "`gateway/tls/gateway-cert.pem` in the state directory",
      }),
      keyPath: path("Its key, PEM.", {
        defaultText: "`gateway/tls/gateway-key.pem` in the state directory",
      }),
      caPath: path("Certificates of the authority, PEM. Clients need none of their own."),
    }),
    reload: section(
      "What happens when this file changes.",
      {
        mode: oneOf(
          ["off", "restart", "hot", "hybrid"],
          "`hybrid` applies live what it can and restarts for the rest, `hot` does only the first, `restart` only the second.",
          { default: "hybrid" },
        ),
        debounceMs: integer(0, "Quiet time before a change is read.", { default: 300, unit: "ms" }),
      },
      { reload: "none" },
    ),
    http,
    nodes,
    ledger: ledgerSchema,
  },
  { reload: "restart" },
);
