import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { ExposureError } from "../exposure-error.ts";
import { isObject } from "./json-in-noise.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { type Route, SERVE_MOUNT, SERVE_PORT } from "./serve-table.ts";

/** Says which route is ours, and which process of ours holds it. */
export interface ExposureRecord {
  /** Another one for each time that an exposure is opened. */
  readonly id: string;
  readonly route: Route;
  /** What was ours before, while it is being replaced: after a crash either may be there. */
  readonly previous?: Route;
  readonly owner: ProcessIdentity;
  /** When the owner opened it, as milliseconds since 1970. */
  readonly openedAtMs: number;
}

const VERSION = 1;

/**
 * Reads a record. Runs no program, so that it may be asked also where Tailscale is off.
 *
 * @returns undefined when there is no such file.
 * @throws {ExposureError} `TAILSCALE_RECORD_UNREADABLE`; an unreadable record is never taken for none.
 */
export async function readExposureRecord(path: string): Promise<ExposureRecord | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw recordError(path, `cannot be read: ${String(cause)}`, cause);
  }
  const record = parseRecord(text);
  if (record === undefined) throw recordError(path, "is not understood");
  return record;
}

/** Writes a record that only this user can read, in one step and to the disk. */
export async function writeExposureRecord(path: string, record: ExposureRecord): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(formatRecord(record));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw recordError(path, `cannot be written: ${String(cause)}`, cause);
  }
}

/** Removes a record, if there is one. */
export async function removeExposureRecord(path: string): Promise<void> {
  await rm(path, { force: true }).catch((cause: unknown) => {
    throw recordError(path, `cannot be removed: ${String(cause)}`, cause);
  });
}

/** Every route that the record makes ours. */
export function routesOf(record: ExposureRecord | undefined): readonly Route[] {
  if (record === undefined) return [];
  return record.previous === undefined ? [record.route] : [record.route, record.previous];
}

function formatRecord({ id, route, previous, owner, openedAtMs }: ExposureRecord): string {
  const document = {
    version: VERSION,
    id,
    route: { ...route, port: SERVE_PORT, mount: SERVE_MOUNT },
    ...(previous === undefined
      ? {}
      : { previous: { ...previous, port: SERVE_PORT, mount: SERVE_MOUNT } }),
    owner,
    openedAt: new Date(openedAtMs).toISOString(),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function parseRecord(text: string): ExposureRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || value["version"] !== VERSION) return undefined;
  const id = value["id"];
  const route = parseRoute(value["route"]);
  const owner = parseOwner(value["owner"]);
  const openedAtMs = Date.parse(String(value["openedAt"]));
  if (typeof id !== "string" || route === undefined || owner === undefined) return undefined;
  if (Number.isNaN(openedAtMs)) return undefined;
  if (value["previous"] === undefined) return { id, route, owner, openedAtMs };
  const previous = parseRoute(value["previous"]);
  return previous && { id, route, previous, owner, openedAtMs };
}

function parseRoute(value: unknown): Route | undefined {
  if (!isObject(value)) return undefined;
  const { mode, host, target, port, mount } = value;
  if (mode !== "serve" && mode !== "funnel") return undefined;
  if (typeof host !== "string" || typeof target !== "string") return undefined;
  return port === SERVE_PORT && mount === SERVE_MOUNT ? { mode, host, target } : undefined;
}

function parseOwner(value: unknown): ProcessIdentity | undefined {
  if (!isObject(value)) return undefined;
  const { pid, bootId, startTime } = value;
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (typeof bootId !== "string" || typeof startTime !== "string") return undefined;
  return { pid, bootId, startTime };
}

function recordError(path: string, what: string, cause?: unknown): ExposureError {
  return new ExposureError(
    "TAILSCALE_RECORD_UNREADABLE",
    `the record of what Tailscale serves for this Gateway, ${path}, ${what}`,
    {
      hint: "See what is served with tailscale serve status, take off what is ours, then remove the file.",
      details: { path },
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
