/** Lists of algorithms that ssh_config can change, by keyword in lower case. */
export type AlgorithmKeyword =
  | "ciphers"
  | "macs"
  | "kexalgorithms"
  | "hostkeyalgorithms"
  | "pubkeyacceptedalgorithms";

export const algorithmKeywords: readonly AlgorithmKeyword[] = [
  "ciphers",
  "macs",
  "kexalgorithms",
  "hostkeyalgorithms",
  "pubkeyacceptedalgorithms",
];

const CTR = ["aes128-ctr", "aes192-ctr", "aes256-ctr"];
const GCM = ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"];
const CHACHA = "chacha20-poly1305@openssh.com";

const MACS = [
  "umac-64-etm@openssh.com",
  "umac-128-etm@openssh.com",
  "hmac-sha2-256-etm@openssh.com",
  "hmac-sha2-512-etm@openssh.com",
  "hmac-sha1-etm@openssh.com",
  "umac-64@openssh.com",
  "umac-128@openssh.com",
  "hmac-sha2-256",
  "hmac-sha2-512",
  "hmac-sha1",
];

const NTRU = "sntrup761x25519-sha512";
const NTRU_VENDOR = "sntrup761x25519-sha512@openssh.com";
const MLKEM = "mlkem768x25519-sha256";
const CLASSIC_KEX = [
  "curve25519-sha256",
  "curve25519-sha256@libssh.org",
  "ecdh-sha2-nistp256",
  "ecdh-sha2-nistp384",
  "ecdh-sha2-nistp521",
  "diffie-hellman-group-exchange-sha256",
  "diffie-hellman-group16-sha512",
  "diffie-hellman-group18-sha512",
  "diffie-hellman-group14-sha256",
];

const KEYS = [
  "ssh-ed25519-cert-v01@openssh.com",
  "ecdsa-sha2-nistp256-cert-v01@openssh.com",
  "ecdsa-sha2-nistp384-cert-v01@openssh.com",
  "ecdsa-sha2-nistp521-cert-v01@openssh.com",
  "sk-ssh-ed25519-cert-v01@openssh.com",
  "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
  "rsa-sha2-512-cert-v01@openssh.com",
  "rsa-sha2-256-cert-v01@openssh.com",
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

/**
 * What OpenSSH offers when nothing is configured; the first is that of the stable releases, the
 * others are those of earlier and later ones. A list that is not among them is compared with what
 * the program itself says, so this table saves time and decides nothing.
 */
export const defaultAlgorithms: Readonly<Record<AlgorithmKeyword, readonly (readonly string[])[]>> =
  {
    ciphers: [
      [CHACHA, ...CTR, ...GCM],
      [CHACHA, ...GCM, ...CTR],
    ],
    macs: [MACS],
    kexalgorithms: [
      [NTRU, NTRU_VENDOR, ...CLASSIC_KEX],
      [NTRU_VENDOR, ...CLASSIC_KEX],
      [NTRU, NTRU_VENDOR, MLKEM, ...CLASSIC_KEX],
      [MLKEM, NTRU, NTRU_VENDOR, ...CLASSIC_KEX],
      CLASSIC_KEX,
    ],
    hostkeyalgorithms: [KEYS],
    pubkeyacceptedalgorithms: [KEYS],
  };

const certified = (name: string): readonly string[] => [name, `${name}-cert-v01@openssh.com`];

const ALL_KEYS = [
  ...certified("ssh-ed25519"),
  "sk-ssh-ed25519@openssh.com",
  "sk-ssh-ed25519-cert-v01@openssh.com",
  ...certified("ecdsa-sha2-nistp256"),
  ...certified("ecdsa-sha2-nistp384"),
  ...certified("ecdsa-sha2-nistp521"),
  "sk-ecdsa-sha2-nistp256@openssh.com",
  "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
  "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
  ...certified("ssh-dss"),
  ...certified("ssh-rsa"),
  ...certified("rsa-sha2-256"),
  ...certified("rsa-sha2-512"),
];

/** Everything OpenSSH can be asked for, in its own order: what a pattern in a list stands for. */
export const supportedAlgorithms: Readonly<Record<AlgorithmKeyword, readonly string[]>> = {
  ciphers: ["3des-cbc", "aes128-cbc", "aes192-cbc", "aes256-cbc", ...CTR, ...GCM, CHACHA],
  macs: [
    "hmac-sha1",
    "hmac-sha1-96",
    "hmac-sha2-256",
    "hmac-sha2-512",
    "hmac-md5",
    "hmac-md5-96",
    "umac-64@openssh.com",
    "umac-128@openssh.com",
    "hmac-sha1-etm@openssh.com",
    "hmac-sha1-96-etm@openssh.com",
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-md5-etm@openssh.com",
    "hmac-md5-96-etm@openssh.com",
    "umac-64-etm@openssh.com",
    "umac-128-etm@openssh.com",
  ],
  kexalgorithms: [
    "diffie-hellman-group1-sha1",
    "diffie-hellman-group14-sha1",
    "diffie-hellman-group14-sha256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group-exchange-sha1",
    "diffie-hellman-group-exchange-sha256",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    NTRU,
    NTRU_VENDOR,
    MLKEM,
  ],
  hostkeyalgorithms: ALL_KEYS,
  pubkeyacceptedalgorithms: ALL_KEYS,
};

const IDENTITY_TYPES = ["rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss", "dsa"];

/** Private keys that ssh tries when none is configured, in its order. */
export const defaultIdentityFiles: readonly string[] = IDENTITY_TYPES.map(
  (type) => `~/.ssh/id_${type}`,
);

/** The same of other releases and builds. */
export const knownIdentityDefaults: readonly (readonly string[])[] = [
  IDENTITY_TYPES,
  ["rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "dsa"],
  ["rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss"],
  ["rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk"],
  ["rsa", "dsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss"],
  ["rsa", "dsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk"],
].map((types) => types.map((type) => `~/.ssh/id_${type}`));

/** Asked for host keys when UserKnownHostsFile and GlobalKnownHostsFile are not set. */
export const defaultUserKnownHosts = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"];
export const defaultGlobalKnownHosts = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];
