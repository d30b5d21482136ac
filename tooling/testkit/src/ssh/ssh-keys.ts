import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "./ssh-programs.ts";

/** Kinds of keys that the fixtures make. */
export type SshKeyType = "ed25519" | "rsa" | "ecdsa";

/** A key pair in files. */
export interface SshKey {
  readonly type: SshKeyType;
  readonly privateKeyPath: string;
  readonly publicKeyPath: string;
  /** `type base64 [comment]`, as authorized_keys has it. */
  readonly publicKey: string;
  /** `SHA256:` and unpadded base64. */
  readonly fingerprint: string;
}

/** Options of {@link generateSshKey}. */
export interface SshKeyOptions {
  /** @default "ed25519" */
  type?: SshKeyType;
  /** Encrypts the private key. @default none */
  passphrase?: string;
  /** @default "test" */
  comment?: string;
  /** Name of the private key's file. @default a unique one */
  name?: string;
  /** Where the files go: give a temporary directory. @default the system's, and nobody removes them */
  directory?: string;
}

/** What {@link signSshKey} certifies. */
export interface SshCertificateOptions {
  caKeyPath: string;
  publicKeyPath: string;
  /** User names, or host names of a host certificate. */
  principals: readonly string[];
  /** A host certificate instead of a user's. @default false */
  host?: boolean;
  /** As `ssh-keygen -V` has it, e.g. `-2h:-1h` for one that has expired. @default for ever */
  validity?: string;
}

/** Makes a key pair with ssh-keygen. */
export async function generateSshKey({
  type = "ed25519",
  passphrase = "",
  comment = "test",
  name = `id_${type}_${randomUUID().slice(0, 8)}`,
  directory = tmpdir(),
}: SshKeyOptions = {}): Promise<SshKey> {
  const privateKeyPath = join(directory, name);
  const size = type === "rsa" ? ["-b", "2048"] : [];
  // Few rounds: what is under test is that the file is encrypted, and not how slowly it opens.
  const rounds = passphrase === "" ? [] : ["-a", "1"];
  const naming = ["-N", passphrase, "-C", comment, "-f", privateKeyPath];
  await runProgram("ssh-keygen", ["-q", "-t", type, ...size, ...rounds, ...naming]);
  return readSshKey(type, privateKeyPath);
}

/** Signs a public key with the key of an authority; resolves with the path of the certificate. */
export async function signSshKey(options: SshCertificateOptions): Promise<string> {
  const { caKeyPath, publicKeyPath, principals, host = false, validity } = options;
  const names = principals.length === 0 ? [] : ["-n", principals.join(",")];
  const kind = host ? ["-h"] : [];
  const period = validity === undefined ? [] : ["-V", validity];
  const identity = ["-s", caKeyPath, "-I", "test"];
  await runProgram("ssh-keygen", ["-q", ...identity, ...kind, ...names, ...period, publicKeyPath]);
  return publicKeyPath.replace(/\.pub$/u, "-cert.pub");
}

/** The key pair whose public half lies beside it in a `.pub` file. */
export async function readSshKey(type: SshKeyType, privateKeyPath: string): Promise<SshKey> {
  const publicKeyPath = `${privateKeyPath}.pub`;
  const publicKey = (await readFile(publicKeyPath, "utf8")).trim();
  const listing = await runProgram("ssh-keygen", ["-l", "-E", "sha256", "-f", publicKeyPath]);
  const fingerprint = /SHA256:\S+/u.exec(listing)?.[0];
  if (fingerprint === undefined) throw new Error(`ssh-keygen showed no fingerprint: ${listing}`);
  return { type, privateKeyPath, publicKeyPath, publicKey, fingerprint };
}
