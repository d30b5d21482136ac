import { open, readFile, rm, stat } from "node:fs/promises";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { GatewayError } from "../errors.ts";
import { replacePrivateFile } from "./private-file.ts";
import type { DeviceTokenKey, DeviceTokenStore, StoredDeviceToken } from "./device-token-store.ts";

/** How long a change waits for another process that is changing the file. */
const LOCK_TIMEOUT_MS = 5_000;
/** A lock this old belongs to a process that died: the work under it takes milliseconds. */
const STALE_LOCK_MS = 10_000;
const LOCK_POLL_MS = 10;

interface TokenRecord extends StoredDeviceToken {
  deviceId: string;
}

/** `tokens[endpoint][role]` */
interface TokenFile {
  version: 1;
  tokens: Record<string, Record<string, TokenRecord>>;
}

/**
 * Keeps device tokens in the file at `path`, mode 0600. Processes may share the file: a change is
 * made under a lock and replaces the file whole. A file that cannot be read as a token file is
 * reported with `TOKEN_STORE_UNREADABLE` and left as it is.
 */
export function fileTokenStore(path: string): DeviceTokenStore {
  return {
    async get({ endpoint, role, deviceId }) {
      const record = (await readTokens(path)).tokens[endpoint]?.[role];
      if (!record || record.deviceId !== deviceId) return undefined;
      return { token: record.token, scopes: record.scopes, updatedAtMs: record.updatedAtMs };
    },
    set: (key, token) =>
      changeTokens(path, (file) => {
        (file.tokens[key.endpoint] ??= {})[key.role] = recordOf(key, token);
      }),
    remove: ({ endpoint, role, deviceId }) =>
      changeTokens(path, (file) => {
        const roles = file.tokens[endpoint];
        if (roles?.[role]?.deviceId !== deviceId) return;
        delete roles[role];
        if (Object.keys(roles).length === 0) delete file.tokens[endpoint];
      }),
  };
}

function recordOf({ deviceId }: DeviceTokenKey, token: StoredDeviceToken): TokenRecord {
  return { deviceId, token: token.token, scopes: token.scopes, updatedAtMs: token.updatedAtMs };
}

async function changeTokens(path: string, change: (file: TokenFile) => void): Promise<void> {
  const unlock = await lock(`${path}.lock`);
  try {
    const file = await readTokens(path);
    const before = JSON.stringify(file);
    change(file);
    if (JSON.stringify(file) === before) return;
    await replacePrivateFile(path, `${JSON.stringify(file, undefined, 2)}\n`);
  } finally {
    await unlock();
  }
}

async function readTokens(path: string): Promise<TokenFile> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (hasCode(cause, "ENOENT")) return { version: 1, tokens: Object.create(null) };
    throw unreadable(path, cause instanceof Error ? cause.message : String(cause));
  }
  const file = parseTokenFile(text);
  if (!file) throw unreadable(path, "it is not a token file of version 1");
  return file;
}

function parseTokenFile(text: string): TokenFile | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value["version"] !== 1 || !isRecord(value["tokens"])) return undefined;
  const tokens: TokenFile["tokens"] = Object.create(null);
  for (const [endpoint, roles] of Object.entries(value["tokens"])) {
    if (!isRecord(roles)) return undefined;
    const byRole: Record<string, TokenRecord> = Object.create(null);
    for (const [role, record] of Object.entries(roles)) {
      if (!isTokenRecord(record)) return undefined;
      byRole[role] = record;
    }
    tokens[endpoint] = byRole;
  }
  return { version: 1, tokens };
}

function isTokenRecord(value: unknown): value is TokenRecord {
  return (
    isRecord(value) &&
    typeof value["deviceId"] === "string" &&
    typeof value["token"] === "string" &&
    typeof value["updatedAtMs"] === "number" &&
    Array.isArray(value["scopes"])
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function lock(path: string): Promise<() => Promise<void>> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  for (let waitedMs = 0; ; waitedMs += LOCK_POLL_MS) {
    try {
      await (await open(path, "wx", 0o600)).close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
    if (await isStale(path)) await rm(path, { force: true });
    else if (waitedMs >= LOCK_TIMEOUT_MS) {
      throw new GatewayError("TOKEN_STORE_UNREADABLE", `another process holds ${path}`);
    } else await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > STALE_LOCK_MS;
  } catch {
    // The holder has just let go of it.
    return false;
  }
}

function unreadable(path: string, why: string): GatewayError {
  return new GatewayError(
    "TOKEN_STORE_UNREADABLE",
    `cannot use the device tokens ${path}: ${why}`,
    {
      hint: "Move the file away; the Gateway issues new tokens at the next connection.",
    },
  );
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
