import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { ExposureError, type ExposureErrorCode } from "../exposure-error.ts";
import { hasCode } from "./own-file.ts";

/** No chain and no key is larger; a device or a log given by mistake is not read to its end. */
const MOST_BYTES = 1_048_576;
const CERTIFICATE_BLOCK =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^]*?-----END [^-]*-----/gu;

/** A file with one certificate, or with that of the server and then those of its issuers. */
export interface CertificateFile {
  readonly text: string;
  /** The server's own. */
  readonly leaf: X509Certificate;
}

/**
 * Reads a certificate file in PEM; undefined where there is none.
 *
 * @throws {ExposureError} `CERT_UNREADABLE`
 */
export async function readCertificateFile(path: string): Promise<CertificateFile | undefined> {
  const text = await readText(path, "CERT_UNREADABLE", "certificate");
  if (text === undefined) return undefined;
  const blocks = text.match(CERTIFICATE_BLOCK) ?? [];
  const unreadable = (what: string, hint: string, cause?: unknown): ExposureError =>
    new ExposureError("CERT_UNREADABLE", `the certificate ${path} ${what}.`, { hint, cause });
  if (blocks.length === 0) {
    throw unreadable(
      text.includes("PRIVATE KEY-----") ? "holds a key instead" : "holds no PEM text",
      "It begins with -----BEGIN CERTIFICATE-----. From DER: openssl x509 -inform der -in <file> -out <file>.pem",
    );
  }
  const chain = blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw unreadable(
        `has a block, number ${index + 1} of ${blocks.length}, that is damaged`,
        `Look at it: openssl x509 -in ${path} -noout -text. It was left as it is.`,
        cause,
      );
    }
  });
  return { text, leaf: chain[0] as X509Certificate };
}

/** The private key of a server. */
export interface KeyFile {
  readonly text: string;
  readonly key: KeyObject;
  /** Users other than the owner may read the file. False on Windows, where the mode says nothing. */
  readonly isExposed: boolean;
}

/**
 * Reads a private key in PEM; undefined where there is none.
 *
 * @throws {ExposureError} `KEY_UNREADABLE`, `KEY_ENCRYPTED`
 */
export async function readKeyFile(path: string): Promise<KeyFile | undefined> {
  const text = await readText(path, "KEY_UNREADABLE", "key");
  if (text === undefined) return undefined;
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/mu.test(text)) {
    throw new ExposureError(
      "KEY_ENCRYPTED",
      `the key ${path} wants a passphrase, which nobody types for a Gateway.`,
      {
        hint: `Take it off, and keep the file to yourself: openssl pkey -in ${path} -out <new file>`,
      },
    );
  }
  const { mode } = await stat(path);
  const isExposed = process.platform !== "win32" && (mode & 0o077) !== 0;
  try {
    return { text, key: createPrivateKey(text), isExposed };
  } catch {
    // The cause stays here: it may quote what was read.
    throw new ExposureError("KEY_UNREADABLE", `${path} holds no private key in PEM.`, {
      hint: "It begins with -----BEGIN PRIVATE KEY----- or the like. It was left as it is.",
    });
  }
}

async function readText(
  path: string,
  code: ExposureErrorCode,
  what: string,
): Promise<string | undefined> {
  const unreadable = (why: string, cause?: unknown): ExposureError =>
    new ExposureError(code, `cannot read the ${what} ${path}: ${why}.`, {
      hint: "It has to be a file that the user of the Gateway may read.",
      cause,
    });
  try {
    const { size, ...kind } = await describe(path);
    if (!kind.isFile) throw unreadable("it is no file");
    if (size > MOST_BYTES) throw unreadable(`it is larger than ${MOST_BYTES} bytes`);
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof ExposureError) throw error;
    if (hasCode(error, "ENOENT")) return undefined;
    throw unreadable(error instanceof Error ? error.message : String(error), error);
  }
}

async function describe(path: string): Promise<{ size: number; isFile: boolean }> {
  const found = await stat(path);
  return { size: found.size, isFile: found.isFile() };
}
