import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

/** The kinds of keys that are compared: that of a new Gateway, and that of earlier releases. */
export const CERTIFICATES = [
  { name: "p256", label: "P-256", key: ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] },
  { name: "rsa", label: "RSA 2048", key: ["rsa:2048"] },
] as const;

/** Makes a self-signed certificate of each kind for 127.0.0.1. */
export async function makeCertificates(directory: string): Promise<void> {
  for (const { name, key } of CERTIFICATES) {
    await promisify(execFile)("openssl", [
      ...[
        "req",
        "-x509",
        "-newkey",
        ...key,
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=openclaw-gateway",
      ],
      ...["-addext", "subjectAltName=IP:127.0.0.1"],
      ...["-keyout", join(directory, `${name}-key.pem`)],
      ...["-out", join(directory, `${name}-cert.pem`)],
    ]);
  }
}
