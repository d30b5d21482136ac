import type { Algorithms } from "ssh2";
import constants from "ssh2/lib/protocol/constants.js";
import { TunnelError } from "../../errors.ts";
import type { AlgorithmSettings } from "../../settings/ssh-settings.ts";
import { cryptography } from "./tune-ciphers.ts";

const CHACHA = "chacha20-poly1305@openssh.com";

/**
 * GCM first: one pass over the data, in hardware nearly everywhere. The native ChaCha20 of ssh2 1.17
 * does not survive a second key exchange on OpenSSL 3, so it is not offered unless it is asked for.
 */
const CIPHERS = [
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
  ...(cryptography === "native" ? [] : [CHACHA]),
  "aes128-ctr",
  "aes192-ctr",
  "aes256-ctr",
];

/** Only what OpenSSH offers too; SHA-1 and CBC only when the configuration asks for them. */
const WEAK = /sha1|group1-|ssh-dss|^ssh-rsa$|-cbc|arcfour|cast128|blowfish|md5|ripemd|3des/u;

/** The lists to offer, and what the configuration has that this engine does not. */
export interface AlgorithmChoice {
  readonly algorithms: Algorithms;
  readonly unsupported: readonly string[];
}

/**
 * Turns the lists of ssh_config into those of ssh2. A name that ssh2 lacks is left out and reported;
 * a list of which nothing is left cannot work.
 *
 * @throws {@link TunnelError} `UNSUPPORTED_SETTING`
 */
export function chooseAlgorithms(
  settings: AlgorithmSettings,
  orderHostKeys: (offered: readonly string[]) => readonly string[],
): AlgorithmChoice {
  const unsupported: string[] = [];
  const choose = (
    name: string,
    wanted: readonly string[] | undefined,
    supported: readonly string[],
    preferred: readonly string[],
  ): string[] => {
    if (wanted === undefined) return preferred.filter((one) => supported.includes(one));
    const chosen = wanted.filter((one) => supported.includes(one));
    const missing = wanted.filter((one) => !supported.includes(one));
    if (missing.length > 0) unsupported.push(`${name} ${missing.join(",")}`);
    if (chosen.length > 0) return chosen;
    throw new TunnelError(
      "UNSUPPORTED_SETTING",
      `ssh2 has none of the ${name} of the ssh config: ${wanted.join(",")}.`,
      { details: { settings: [name] }, hint: "Choose the engine `system`, or widen the list." },
    );
  };
  const hostKeys = choose(
    "HostKeyAlgorithms",
    settings.hostKeyAlgorithms,
    constants.SUPPORTED_SERVER_HOST_KEY,
    constants.DEFAULT_SERVER_HOST_KEY.filter((one) => !WEAK.test(one)),
  );
  const algorithms = {
    kex: choose(
      "KexAlgorithms",
      settings.kexAlgorithms,
      constants.SUPPORTED_KEX,
      strong(constants.DEFAULT_KEX),
    ),
    cipher: choose("Ciphers", settings.ciphers, constants.SUPPORTED_CIPHER, CIPHERS),
    hmac: choose("MACs", settings.macs, constants.SUPPORTED_MAC, strong(constants.DEFAULT_MAC)),
    serverHostKey: [...orderHostKeys(hostKeys)],
    compress: ["none"],
  };
  return { algorithms: algorithms as Algorithms, unsupported };
}

/** The lists of ssh_config that this engine has nothing of, for people. */
export function lackingAlgorithms(settings: AlgorithmSettings): readonly string[] {
  const lists = [
    ["KexAlgorithms", settings.kexAlgorithms, constants.SUPPORTED_KEX],
    ["HostKeyAlgorithms", settings.hostKeyAlgorithms, constants.SUPPORTED_SERVER_HOST_KEY],
    ["Ciphers", settings.ciphers, constants.SUPPORTED_CIPHER],
    ["MACs", settings.macs, constants.SUPPORTED_MAC],
  ] as const;
  return lists.flatMap(([name, wanted, supported]) =>
    wanted === undefined || wanted.some((one) => supported.includes(one))
      ? []
      : [`${name} (ssh2 has none of ${wanted.join(",")})`],
  );
}

function strong(names: readonly string[]): readonly string[] {
  return names.filter((name) => !WEAK.test(name));
}
