import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { sep } from "node:path";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { inspectPrivateKey } from "./private-key.ts";
import { parsePublicKeyText, type PublicKey, publicKeyOf } from "./public-key.ts";

/** Why a file cannot be used, for people. */
export interface FileFault {
  readonly file: string;
  /** Continues `the key ~/.ssh/id_ed25519 …`. */
  readonly message: string;
  readonly hint: string | undefined;
}

/** A certificate, and the file it was read from. */
export interface CertificateFile {
  readonly path: string;
  readonly certificate: Certificate;
}

/** What an IdentityFile of ssh_config turned out to be. */
export interface IdentityFile {
  readonly path: string;
  /** The path as people write it. */
  readonly label: string;
  /** undefined where only the passphrase would tell. */
  readonly publicKey: PublicKey | undefined;
  /** From `<path>-cert.pub`, or the file itself. */
  readonly certificates: readonly CertificateFile[];
  /** The private key, as it stands in the file; undefined where there is only a public one. */
  readonly privateText: Buffer | undefined;
  readonly isEncrypted: boolean;
  /** A reference to a hardware token, which only an agent or the ssh program can use. */
  readonly isSecurityKey: boolean;
  readonly isMissing: boolean;
  /** There is a public key here and no private one: an agent is meant to have it. */
  readonly isPublicOnly: boolean;
  /** Why the file itself cannot sign; an agent that holds the key still can. */
  readonly fault: FileFault | undefined;
}

/** Larger than any key; as ssh has it. */
const MAX_KEY_FILE_BYTES = 1024 * 1024;

/** Reads an identity: the file, the `.pub` and the certificate beside it. Never rejects. */
export async function readIdentityFile(path: string): Promise<IdentityFile> {
  const [main, beside, certificate] = await Promise.all([
    readKeyFile(path),
    readPublicKey(`${path}.pub`),
    readCertificate(`${path}-cert.pub`),
  ]);
  const certificates = certificate === undefined ? [] : [certificate];
  const base = {
    path,
    label: labelOf(path),
    publicKey: beside,
    certificates,
    privateText: undefined,
    isEncrypted: false,
    isSecurityKey: false,
    isMissing: main.isMissing === true,
    isPublicOnly: main.isMissing === true && beside !== undefined,
    fault: undefined,
  } satisfies IdentityFile;
  if (main.text === undefined) return { ...base, fault: main.fault };

  const text = main.text.toString("utf8");
  const file = inspectPrivateKey(text);
  switch (file.kind) {
    case "key":
      return {
        ...base,
        // What the private key says about itself cannot be out of date.
        publicKey: file.publicKey ?? beside,
        privateText: main.fault === undefined ? main.text : undefined,
        isEncrypted: file.isEncrypted,
        fault: main.fault,
      };
    case "security-key":
      return { ...base, publicKey: file.publicKey, isSecurityKey: true, isPublicOnly: true };
    case "unsupported":
      return {
        ...base,
        fault: {
          file: path,
          message: `cannot be used: ${file.reason}`,
          hint: `Convert it with ssh-keygen, or choose the engine "system" if ssh can read it.`,
        },
      };
    case "none":
      break;
  }
  const publicKey = parsePublicKeyText(text);
  if (publicKey === undefined) {
    const message = "holds no key that can be read";
    return { ...base, fault: { file: path, message, hint: undefined } };
  }
  const fault = {
    file: path,
    message: "is a public key, and no agent holds the private one",
    hint: "Name the private key, or add it to the agent with ssh-add.",
  };
  const own = parseCertificate(publicKey);
  if (own === undefined) return { ...base, publicKey, fault, isPublicOnly: true };
  return {
    ...base,
    publicKey: publicKeyOf(own.keyBlob),
    fault,
    isPublicOnly: true,
    certificates: [{ path, certificate: own }, ...certificates],
  };
}

/** Reads a CertificateFile of ssh_config. Never rejects. */
export async function readCertificateFile(path: string): Promise<CertificateFile | FileFault> {
  const { text, fault } = await readKeyFile(path, { isPrivate: false });
  if (text === undefined)
    return fault ?? { file: path, message: "cannot be read", hint: undefined };
  const key = parsePublicKeyText(text.toString("utf8"));
  const certificate = key && parseCertificate(key);
  if (certificate) return { path, certificate };
  return { file: path, message: "holds no certificate", hint: undefined };
}

export function isFileFault(value: CertificateFile | FileFault): value is FileFault {
  return "message" in value;
}

/** `~` for the home directory. */
export function labelOf(path: string): string {
  const home = homedir();
  return path.startsWith(home + sep) ? `~${path.slice(home.length)}` : path;
}

interface KeyFileText {
  readonly text?: Buffer;
  readonly fault?: FileFault;
  readonly isMissing?: boolean;
}

async function readKeyFile(path: string, { isPrivate = true } = {}): Promise<KeyFileText> {
  const faulty = (message: string, hint?: string): { fault: FileFault } => ({
    fault: { file: path, message, hint },
  });
  try {
    const { mode, uid, size } = await stat(path);
    if (size > MAX_KEY_FILE_BYTES) return faulty("is too large for a key");
    const text = await readFile(path);
    // As ssh does it: a private key of ours that others may read is not used. Files of others, and
    // those of Windows, have no such mode.
    const isOurs = process.getuid?.() === uid;
    if (!isPrivate || !isOurs || (mode & 0o077) === 0 || !text.includes("PRIVATE KEY")) {
      return { text };
    }
    const bits = (mode & 0o777).toString(8).padStart(4, "0");
    const hint = `Run: chmod 600 ${labelOf(path)}`;
    return { text, ...faulty(`is open to other users (mode ${bits})`, hint) };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const isMissing = code === "ENOENT" || code === "ENOTDIR";
    const message = isMissing ? "does not exist" : `cannot be read (${code ?? "unknown error"})`;
    return { ...faulty(message), isMissing };
  }
}

async function readPublicKey(path: string): Promise<PublicKey | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  const key = parsePublicKeyText(text);
  const certificate = key && parseCertificate(key);
  return certificate ? publicKeyOf(certificate.keyBlob) : key;
}

async function readCertificate(path: string): Promise<CertificateFile | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  const key = parsePublicKeyText(text);
  const certificate = key && parseCertificate(key);
  return certificate && { path, certificate };
}
