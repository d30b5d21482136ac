import { describe, expect, test } from "vitest";
import type { KnownHost, KnownKey } from "../../../host-keys/known-hosts.ts";
import type { SshSettings } from "../../../settings/ssh-settings.ts";
import { explainFailure, type FailedSsh, lastWords } from "./explain-failure.ts";
import { createSshLog } from "../ssh-log.ts";

// What OpenSSH 9.2 wrote to stderr in each of these situations.

const FINGERPRINT = "SHA256:y71WE7b3MFZaoq0ef0j5RVbTjDVmbqVWE6PRulIy9CY";
const OTHER = "SHA256:lnrFVUoFHhvQDKzHMFAC7msdXA2rvrz3AiPdseoFvRE";

const CONNECTED = [
  "debug1: Connecting to box.example [192.0.2.7] port 22.",
  "debug1: Connection established.",
];
const GREETED = [
  ...CONNECTED,
  "debug1: Local version string SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10",
  "debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1 Debian-2+deb12u10",
  "debug1: SSH2_MSG_KEXINIT sent",
];
const SHOWN = [
  ...GREETED,
  "debug1: kex: client->server cipher: aes128-gcm@openssh.com MAC: <implicit> compression: none",
  `debug1: Server host key: ssh-ed25519 ${FINGERPRINT}`,
];
const ENCRYPTED = [...SHOWN, "debug1: SSH2_MSG_NEWKEYS received"];
const OPEN = [...ENCRYPTED, "debug1: Entering interactive session."];

const REFUSED = "me@box.example: Permission denied (publickey,keyboard-interactive).";
const METHODS = "debug1: Authentications that can continue: publickey,keyboard-interactive";

const key: KnownKey = {
  type: "ssh-ed25519",
  blob: Buffer.alloc(0),
  fingerprint: OTHER,
  file: "/home/me/.ssh/known_hosts",
  line: 3,
};

function knownAs(change: Partial<KnownHost> = {}): KnownHost {
  const name = { display: "box.example", withoutPort: undefined, principal: "box.example" };
  const withoutPort = { keys: [], authorities: [] };
  return { keys: [], authorities: [], revoked: [], withoutPort, name, ...change };
}

function failed(lines: readonly string[], change: Partial<FailedSsh> = {}): FailedSsh {
  const log = createSshLog();
  for (const line of lines) log.add(line);
  const settings = {
    target: { host: "box" },
    hostName: "box.example",
    user: "me",
    port: 22,
    hasOwnIdentity: true,
    identityAgent: "/run/agent",
  } as SshSettings;
  return { settings, log, known: knownAs(), usesProxyCommand: false, exitCode: 255, ...change };
}

test.each<[string, readonly string[], object]>([
  [
    "a name without an address",
    ["ssh: Could not resolve hostname box.example: Name or service not known"],
    { code: "NAME_NOT_RESOLVED" },
  ],
  [
    "a closed port",
    ["ssh: connect to host box.example port 22: Connection refused"],
    { code: "CONNECTION_REFUSED", details: { stage: "connect" } },
  ],
  [
    "one address that refuses among unreachable ones",
    [
      "ssh: connect to host box.example port 22: Network is unreachable",
      "ssh: connect to host box.example port 22: Connection refused",
    ],
    { code: "CONNECTION_REFUSED" },
  ],
  [
    "no route to the network",
    ["ssh: connect to host box.example port 22: Network is unreachable"],
    { code: "HOST_UNREACHABLE", message: expect.stringContaining("(Network is unreachable)") },
  ],
  [
    "no route to the host",
    ["ssh: connect to host box.example port 22: No route to host"],
    { code: "HOST_UNREACHABLE" },
  ],
  [
    "a way that is prohibited here",
    ["ssh: connect to host box.example port 22: Permission denied"],
    { code: "HOST_UNREACHABLE" },
  ],
  [
    "no answer to the dial",
    ["ssh: connect to host box.example port 22: Connection timed out"],
    { code: "TIMED_OUT", details: { stage: "connect" } },
  ],
  [
    "a reset while dialling",
    ["ssh: connect to host box.example port 22: Connection reset by peer"],
    { code: "CONNECTION_LOST", details: { stage: "connect" } },
  ],
  [
    "no greeting",
    [
      ...CONNECTED,
      "Connection timed out during banner exchange",
      "Connection to 192.0.2.7 port 22 timed out",
    ],
    { code: "TIMED_OUT", details: { stage: "handshake" } },
  ],
  [
    "a web server",
    [
      ...CONNECTED,
      "debug1: kex_exchange_identification: banner line 0: HTTP/1.1 400 Bad Request",
      "kex_exchange_identification: Connection closed by remote host",
      "Connection closed by 192.0.2.7 port 22",
    ],
    { code: "NOT_SSH" },
  ],
  [
    "something that talks without end",
    [
      ...CONNECTED,
      "kex_exchange_identification: No SSH version received in first 1024 lines from server",
      "banner exchange: Connection to 192.0.2.7 port 22: invalid format",
    ],
    { code: "NOT_SSH" },
  ],
  [
    "a server of protocol 1",
    [
      ...CONNECTED,
      "Protocol major versions differ: 2 vs. 1",
      "banner exchange: Connection to 192.0.2.7 port 22: could not read protocol version",
    ],
    { code: "NOT_SSH" },
  ],
  [
    "a server that hangs up at once",
    [
      ...CONNECTED,
      "kex_exchange_identification: Connection closed by remote host",
      "Connection closed by 192.0.2.7 port 22",
    ],
    { code: "CONNECTION_LOST", final: false },
  ],
  [
    "a reset during the key exchange",
    [...GREETED, "Connection reset by 192.0.2.7 port 22"],
    { code: "CONNECTION_LOST", details: { stage: "handshake" } },
  ],
  [
    "no common key exchange",
    [
      ...GREETED,
      "Unable to negotiate with 192.0.2.7 port 22: no matching key exchange method found. Their offer: curve25519-sha256,diffie-hellman-group14-sha256",
    ],
    {
      code: "NO_COMMON_ALGORITHM",
      final: true,
      details: {
        kind: "key exchange method",
        offered: ["curve25519-sha256", "diffie-hellman-group14-sha256"],
      },
    },
  ],
  [
    "no common cipher",
    [
      ...GREETED,
      "Unable to negotiate with 192.0.2.7 port 22: no matching cipher found. Their offer: aes256-ctr",
    ],
    { code: "NO_COMMON_ALGORITHM", details: { kind: "cipher", offered: ["aes256-ctr"] } },
  ],
  [
    "no common MAC",
    [
      ...GREETED,
      "Unable to negotiate with 192.0.2.7 port 22: no matching MAC found. Their offer: hmac-sha1",
    ],
    { code: "NO_COMMON_ALGORITHM", details: { kind: "MAC" } },
  ],
  [
    "no common host key type",
    [
      ...GREETED,
      "Unable to negotiate with 192.0.2.7 port 22: no matching host key type found. Their offer: ssh-rsa",
    ],
    { code: "NO_COMMON_ALGORITHM", details: { kind: "host key type", offered: ["ssh-rsa"] } },
  ],
  [
    "an unknown host key",
    [
      ...SHOWN,
      "No ED25519 host key is known for box.example and you have requested strict checking.",
      "Host key verification failed.",
    ],
    {
      code: "HOST_KEY_UNKNOWN",
      final: true,
      details: { fingerprint: FINGERPRINT, keyType: "ssh-ed25519" },
    },
  ],
  [
    "a host certificate for another name",
    [
      ...GREETED,
      `debug1: Server host certificate: ssh-ed25519-cert-v01@openssh.com ${FINGERPRINT}, serial 0 ID "h" CA ssh-ed25519 ${OTHER} valid forever`,
      "Certificate invalid: name is not a listed principal",
      "No ED25519 host key is known for box.example and you have requested strict checking.",
      "Host key verification failed.",
    ],
    {
      code: "HOST_KEY_UNKNOWN",
      message: expect.stringContaining("name is not a listed principal"),
      details: { fingerprint: FINGERPRINT, keyType: "ssh-ed25519" },
    },
  ],
  [
    "a key that the server does not know",
    [
      ...ENCRYPTED,
      METHODS,
      "debug1: Next authentication method: publickey",
      `debug1: Offering public key: /home/me/my keys/id ED25519 ${OTHER} explicit`,
      METHODS,
      "debug1: No more authentication methods to try.",
      REFUSED,
    ],
    {
      code: "AUTHENTICATION_REFUSED",
      final: true,
      details: {
        tried: ["publickey /home/me/my keys/id"],
        offered: ["publickey", "keyboard-interactive"],
      },
    },
  ],
  [
    "an agent that refuses to sign",
    [
      ...ENCRYPTED,
      "debug1: get_agent_identities: agent returned 1 keys",
      `debug1: Offering public key: me@laptop ED25519 ${OTHER} agent`,
      `debug1: Server accepts key: me@laptop ED25519 ${OTHER} agent`,
      'sign_and_send_pubkey: signing failed for ED25519 "me@laptop" from agent: agent refused operation',
      REFUSED,
    ],
    { code: "AGENT_LOCKED", final: false },
  ],
  [
    "an agent without keys",
    [
      ...ENCRYPTED,
      "debug1: get_agent_identities: ssh_fetch_identitylist: agent contains no identities",
      METHODS,
      REFUSED,
    ],
    { code: "AGENT_LOCKED" },
  ],
  [
    "an encrypted key that nobody opens",
    [
      ...ENCRYPTED,
      `debug1: Offering public key: /home/me/.ssh/id ED25519 ${OTHER} explicit`,
      `debug1: Server accepts key: /home/me/.ssh/id ED25519 ${OTHER} explicit`,
      "debug1: No more authentication methods to try.",
      REFUSED,
    ],
    { code: "IDENTITY_LOCKED", final: true, details: { file: "/home/me/.ssh/id" } },
  ],
  [
    "a wrong passphrase",
    [
      ...ENCRYPTED,
      'Load key "/home/me/.ssh/id": incorrect passphrase supplied to decrypt private key',
      REFUSED,
    ],
    { code: "IDENTITY_LOCKED", details: { file: "/home/me/.ssh/id" } },
  ],
  [
    "an identity that is no key",
    [...ENCRYPTED, 'Load key "/home/me/.ssh/id": error in libcrypto', REFUSED],
    { code: "IDENTITY_UNREADABLE", final: true, details: { file: "/home/me/.ssh/id" } },
  ],
  [
    "an identity that is missing",
    [
      "Warning: Identity file /home/me/.ssh/id not accessible: No such file or directory.",
      ...ENCRYPTED,
      REFUSED,
    ],
    { code: "IDENTITY_UNREADABLE", details: { file: "/home/me/.ssh/id" } },
  ],
  [
    "an identity of the configuration that is missing",
    [
      ...ENCRYPTED,
      "no such identity: /home/me/.ssh/id: No such file or directory",
      "debug1: No more authentication methods to try.",
      REFUSED,
    ],
    { code: "IDENTITY_UNREADABLE", final: true, details: { file: "/home/me/.ssh/id" } },
  ],
  [
    "an agent without keys that is to have one",
    [
      ...ENCRYPTED,
      "debug1: get_agent_identities: ssh_fetch_identitylist: agent contains no identities",
      `debug1: Offering public key: /home/me/.ssh/id ED25519 ${OTHER} explicit`,
      `debug1: Server accepts key: /home/me/.ssh/id ED25519 ${OTHER} explicit`,
      "no such identity: /home/me/.ssh/id: No such file or directory",
      REFUSED,
    ],
    { code: "AGENT_LOCKED", final: false },
  ],
  [
    "an agent that is gone and is to have a key",
    [
      ...ENCRYPTED,
      "debug1: get_agent_identities: ssh_get_authentication_socket: Connection refused",
      `debug1: Offering public key: /home/me/.ssh/id ED25519 ${OTHER} explicit`,
      `debug1: Server accepts key: /home/me/.ssh/id ED25519 ${OTHER} explicit`,
      "no such identity: /home/me/.ssh/id: No such file or directory",
      REFUSED,
    ],
    { code: "IDENTITY_UNREADABLE", final: true, details: { file: "/home/me/.ssh/id" } },
  ],
  [
    "a missing identity beside one that nobody opens",
    [
      ...ENCRYPTED,
      "debug1: get_agent_identities: ssh_fetch_identitylist: agent contains no identities",
      "no such identity: /home/me/.ssh/other: No such file or directory",
      `debug1: Offering public key: /home/me/.ssh/id ED25519 ${OTHER} explicit`,
      `debug1: Server accepts key: /home/me/.ssh/id ED25519 ${OTHER} explicit`,
      REFUSED,
    ],
    { code: "IDENTITY_LOCKED", final: true, details: { file: "/home/me/.ssh/id" } },
  ],
  [
    "an identity that others may read",
    [
      ...ENCRYPTED,
      "Permissions 0644 for '/home/me/.ssh/id' are too open.",
      "It is required that your private key files are NOT accessible by others.",
      'Load key "/home/me/.ssh/id": bad permissions',
      REFUSED,
    ],
    { code: "IDENTITY_UNREADABLE", details: { file: "/home/me/.ssh/id" } },
  ],
  [
    "too many keys",
    [
      ...ENCRYPTED,
      "Received disconnect from 192.0.2.7 port 22:2: Too many authentication failures",
      "Disconnected from 192.0.2.7 port 22",
    ],
    {
      code: "AUTHENTICATION_REFUSED",
      final: true,
      hint: expect.stringContaining("IdentitiesOnly"),
    },
  ],
  [
    "a connection that is cut during authentication",
    [...ENCRYPTED, "Connection closed by 192.0.2.7 port 22"],
    { code: "CONNECTION_LOST", details: { stage: "authentication" } },
  ],
  [
    "a server that went away",
    [...OPEN, "Connection to box.example closed by remote host."],
    { code: "CONNECTION_LOST", details: { stage: "keepalive" } },
  ],
  [
    "a reset of an open connection",
    [...OPEN, "client_loop: send disconnect: Broken pipe"],
    { code: "CONNECTION_LOST" },
  ],
  [
    "a reset that was read",
    [...OPEN, "Read from remote host box.example: Connection reset by peer"],
    { code: "CONNECTION_LOST" },
  ],
  [
    "a disconnect with a reason",
    [
      ...OPEN,
      "Received disconnect from 192.0.2.7 port 22:11: going down",
      "Disconnected from 192.0.2.7 port 22",
    ],
    { code: "CONNECTION_LOST", message: expect.stringContaining("going down") },
  ],
  [
    "a far side that went silent",
    [...OPEN, "Timeout, server box.example not responding."],
    { code: "TIMED_OUT", final: false, details: { stage: "keepalive" } },
  ],
  [
    "a local port that is taken",
    [
      ...ENCRYPTED,
      "bind [127.0.0.1]:18789: Address already in use",
      "channel_setup_fwd_listener_tcpip: cannot listen to port: 18789",
      "Could not request local forwarding.",
    ],
    { code: "LOCAL_PORT_BUSY", final: true },
  ],
  [
    "a remote forward that is refused",
    [...ENCRYPTED, "Error: remote port forwarding failed for listen port 18789"],
    { code: "FORWARD_REFUSED", final: true },
  ],
  [
    "a word in the config that ssh does not know",
    [
      "/home/me/.ssh/config: line 2: Bad configuration option: foo",
      "/home/me/.ssh/config: terminating, 1 bad configuration options",
    ],
    {
      code: "INVALID_SSH_CONFIG",
      final: true,
      details: { file: "/home/me/.ssh/config", line: 2 },
    },
  ],
  [
    "a config that others may write",
    ["Bad owner or permissions on /home/me/.ssh/config"],
    { code: "INVALID_SSH_CONFIG", details: { file: "/home/me/.ssh/config" } },
  ],
])("%s", (_, lines, expected) => {
  expect(explainFailure(failed(lines))).toMatchObject(expected);
});

describe("a host key that is refused", () => {
  const lines = [
    ...SHOWN,
    "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
    "The fingerprint for the ED25519 key sent by the remote host is",
    `${FINGERPRINT}.`,
    "Offending ED25519 key in /home/me/.ssh/known_hosts:3",
    "Host key for box.example has changed and you have requested strict checking.",
    "Host key verification failed.",
  ];

  test("is a changed one where the host is known, with both fingerprints", () => {
    expect(explainFailure(failed(lines, { known: knownAs({ keys: [key] }) }))).toMatchObject({
      code: "HOST_KEY_CHANGED",
      final: true,
      details: { fingerprint: FINGERPRINT, expected: [OTHER], file: key.file, line: 3 },
    });
  });

  test("is a revoked one where it is marked so", () => {
    const revoked = [
      ...SHOWN,
      "@       WARNING: REVOKED HOST KEY DETECTED!               @",
      "The ED25519 host key for box.example is marked as revoked.",
      "ED25519 host key for box.example was revoked and you have requested strict checking.",
      "Host key verification failed.",
    ];
    const mark = { ...key, fingerprint: FINGERPRINT };
    expect(explainFailure(failed(revoked, { known: knownAs({ revoked: [mark] }) }))).toMatchObject({
      code: "HOST_KEY_REVOKED",
      details: { fingerprint: FINGERPRINT, line: 3 },
    });
    expect(explainFailure(failed(revoked))).toMatchObject({ code: "HOST_KEY_REVOKED" });
  });

  test("is not the pinned one where one is pinned", () => {
    expect(explainFailure(failed(lines, { pinned: OTHER }))).toMatchObject({
      code: "HOST_KEY_CHANGED",
      details: { fingerprint: FINGERPRINT, expected: [OTHER] },
    });
  });
});

test("the end of a ProxyCommand is told with its own last words", () => {
  const lines = [
    "debug1: Executing proxy command: exec cloud-ssh box",
    "cloud-ssh: not logged in",
    "kex_exchange_identification: Connection closed by remote host",
    "Connection closed by UNKNOWN port 65535",
  ];
  expect(explainFailure(failed(lines, { usesProxyCommand: true }))).toMatchObject({
    code: "CONNECTION_LOST",
    message: expect.stringMatching(/ProxyCommand .*: cloud-ssh: not logged in\.$/u),
  });
});

test("what a server writes during authentication passes for no other failure", () => {
  // A banner is printed as it comes, line by line.
  const banner = [
    "Host key verification failed.",
    "ssh: Could not resolve hostname x: no",
    "Hello",
  ];
  expect(explainFailure(failed([...ENCRYPTED, ...banner, REFUSED]))).toMatchObject({
    code: "AUTHENTICATION_REFUSED",
  });
});

test("a failure that nobody foresaw has no explanation, and its last words are safe to show", () => {
  const lines = [...OPEN, "something\u001B[31m odd", ...Array<string>(20).fill("x".repeat(300))];
  const odd = failed(lines);
  expect(explainFailure(odd)).toBeUndefined();
  expect(lastWords(odd.log)).toHaveLength(1000);
  expect(lastWords(failed([...OPEN, "a\u001B[31mb\u0007"]).log)).toBe("a[31mb");
});
