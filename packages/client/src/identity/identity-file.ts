import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { chmod, readFile, stat } from "node:fs/promises";
import { GatewayError } from "../errors.ts";
import { ed25519Identity } from "./ed25519-identity.ts";
import { createPrivateFile } from "./private-file.ts";
import type { DeviceIdentity } from "./device-identity.ts";

/**
 * The identity in the file at `path`, made there with mode 0600 when there is no file yet. Of two
 * processes that start together, both get the one that was written first. A file that cannot be read
 * as an identity is left as it is: replacing it would silently turn this device into another one.
 * @throws {@link GatewayError} `IDENTITY_UNREADABLE`
 */
export async function loadOrCreateDeviceIdentity(path: string): Promise<DeviceIdentity> {
  try {
    return (await readIdentity(path)) ?? (await createIdentity(path));
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw unreadable(path, describe(cause), cause);
  }
}

async function readIdentity(path: string): Promise<DeviceIdentity | undefined> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  await tightenMode(path);
  const identity = parseIdentity(path, text);
  return identity;
}

function parseIdentity(path: string, text: string): DeviceIdentity {
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, and the text holds the key.
    throw unreadable(path, "it is not JSON");
  }
  if (typeof stored !== "object" || stored === null) throw unreadable(path, "it is not an object");
  const { version, deviceId, privateKeyPem } = stored as Record<string, unknown>;
  if (version !== 1) throw unreadable(path, "its version is not 1");
  if (typeof privateKeyPem !== "string") throw unreadable(path, "it has no privateKeyPem");
  let identity: DeviceIdentity;
  try {
    identity = ed25519Identity(createPrivateKey(privateKeyPem));
  } catch {
    throw unreadable(path, "its privateKeyPem is not an Ed25519 key");
  }
  if (deviceId !== identity.deviceId) throw unreadable(path, "its deviceId is not that of its key");
  return identity;
}

async function createIdentity(path: string): Promise<DeviceIdentity> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const identity = ed25519Identity(privateKey);
  const text = JSON.stringify(
    {
      version: 1,
      deviceId: identity.deviceId,
      publicKeyPem: publicKey.export({ type: "spki", format: "pem" }),
      privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }),
      createdAtMs: Date.now(),
    },
    undefined,
    2,
  );
  const created = await createPrivateFile(path, `${text}\n`);
  if (created) return identity;
  const winner = await readIdentity(path);
  if (!winner) throw unreadable(path, "it vanished while it was being created");
  return winner;
}

async function tightenMode(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) await chmod(path, 0o600);
}

function unreadable(path: string, why: string, cause?: unknown): GatewayError {
  return new GatewayError("IDENTITY_UNREADABLE", `cannot use the device identity ${path}: ${why}`, {
    final: true,
    hint: `Restore the file from a backup, or move it away to start as a new device that has to be paired again.`,
    ...(cause === undefined ? {} : { cause }),
  });
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
