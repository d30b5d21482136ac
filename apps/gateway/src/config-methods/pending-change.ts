import { randomUUID } from "node:crypto";
import { realpath } from "node:fs/promises";
import { type Logger, messageOf } from "@openclaw/app-kit";
import { ConfigError, type Env, readConfigText, replaceConfigText } from "@openclaw/config";
import { type Caller, RequestError } from "@openclaw/gateway-core";
import {
  type ChangeRecord,
  readChangeRecord,
  removeChangeRecord,
  writeChangeRecord,
} from "./change-record.ts";

/** Runs something later; returns what prevents it. */
export type Schedule = (work: () => void, delayMs: number) => () => void;

export interface PendingChangeOptions {
  configPath: string;
  /** See `changeRecordPath`. */
  recordPath: string;
  /** For checking the former config when it is put back. */
  env: Env;
  logger: Pick<Logger, "info" | "warn" | "error">;
  /** @default Date.now */
  now?: () => number;
  /** @default a timer that keeps no process alive */
  schedule?: Schedule;
}

/** What a change that waits is known by. */
export interface PendingTicket {
  readonly id: string;
  readonly expiresAtMs: number;
}

/**
 * The one change of the config that may wait for its confirmation. It is recorded on the disk before
 * the file is changed, so that it is taken back although the Gateway was killed meanwhile.
 */
export interface PendingChange {
  /** Whether a change waits for its confirmation now. */
  readonly isWaiting: boolean;
  /**
   * For the start, before the config is read: takes back what nobody has confirmed in time, and goes on
   * waiting for what has time left. What runs now was started with the changed config, so that it
   * counts as applied.
   */
  resume(): Promise<void>;
  /**
   * Records the former text, makes the change, and waits from then on.
   *
   * @param write makes the change and returns the new text; when it throws, nothing is recorded.
   * @throws {RequestError} while another change waits
   */
  begin<T extends { text: string }>(
    confirmMs: number,
    write: () => Promise<T>,
  ): Promise<{ written: T; ticket: PendingTicket }>;
  /** Told which text the running Gateway works with. */
  applied(text: string | undefined): void;
  /** @throws {RequestError} when no such change waits, or the caller was connected before it was applied */
  confirm(id: string, caller: Caller): void;
  /**
   * Takes the change back at once, for a Gateway that cannot start with it. False when none waits, and
   * when the file cannot be written now; then it is tried again.
   */
  takeBack(reason: string): Promise<boolean>;
  /** Ends the wait of this process; the record stays. */
  stop(): void;
  readonly ticket: PendingTicket | undefined;
}

/** Pause before a file that could not be written is tried again. */
const RETRY_MS = 10_000;

const realSchedule: Schedule = (work, delayMs) => {
  const timer = setTimeout(work, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
};

/** See {@link PendingChange}. */
export function createPendingChange({
  configPath,
  recordPath,
  env,
  logger,
  now = Date.now,
  schedule = realSchedule,
}: PendingChangeOptions): PendingChange {
  let record: ChangeRecord | undefined;
  let appliedAtMs: number | undefined;
  let cancel: (() => void) | undefined;
  /** Settles when a change that is being taken back is, or cannot be now. */
  let takingBack: Promise<boolean> | undefined;
  /** What the running Gateway works with, once it has said so. */
  let running: { readonly text: string | undefined } | undefined;

  function forget(): void {
    cancel?.();
    cancel = undefined;
    record = undefined;
    appliedAtMs = undefined;
    removeChangeRecord(recordPath);
  }

  /** Looks at the record, waits, or takes back. A clock that was set back does not prolong the wait. */
  function wait({ expiresAtMs, confirmMs }: ChangeRecord): void {
    const leftMs = Math.min(Math.max(0, expiresAtMs - now()), confirmMs);
    cancel?.();
    cancel = schedule(() => void takeBack("nobody confirmed it in time"), leftMs);
  }

  function takeBack(reason: string): Promise<boolean> {
    if (record === undefined) return Promise.resolve(false);
    takingBack ??= putBack(record, reason).finally(() => (takingBack = undefined));
    return takingBack;
  }

  async function putBack(
    { formerText, newText, id }: ChangeRecord,
    reason: string,
  ): Promise<boolean> {
    try {
      const former = formerText ?? "{}\n";
      const present = await readConfigText(configPath);
      // What was changed after it stays; only where both changed the same, somebody else decides.
      const baseText = newText ?? present;
      await replaceConfigText(configPath, former, {
        env,
        ...(baseText === undefined ? {} : { baseText }),
      });
      logger.warn({ id, reason, path: configPath }, "config change taken back");
    } catch (error) {
      if (isPassing(error)) {
        // Whoever was locked out by the change is not left so because of a moment's lock.
        logger.error(
          { id, reason, path: configPath, error: messageOf(error) },
          "config change could not be taken back yet; it is tried again",
        );
        cancel?.();
        cancel = schedule(() => void takeBack(reason), RETRY_MS);
        return false;
      }
      logger.error(
        { id, reason, path: configPath, error: messageOf(error) },
        "config change could not be taken back; the former config is beside the file as .bak",
      );
    }
    forget();
    return true;
  }

  return {
    get isWaiting() {
      return record !== undefined;
    },
    async resume() {
      record = readChangeRecord(recordPath, (error) =>
        logger.error({ path: recordPath, error: messageOf(error) }, "unreadable config change"),
      );
      if (record === undefined) return;
      if (record.configPath !== configPath) {
        logger.warn(
          { path: record.configPath },
          "a change of another config waits here; left alone",
        );
        record = undefined;
        return;
      }
      const present = await readConfigText(configPath).catch(() => undefined);
      if (record.newText === null && !(await wasWritten(record, present))) {
        // Killed before the file was changed; what it says now is somebody else's.
        forget();
      } else if (now() >= record.expiresAtMs) {
        await takeBack("nobody confirmed it before the Gateway was started again");
      } else {
        appliedAtMs = now();
        wait(record);
      }
    },
    async begin(confirmMs, write) {
      if (record !== undefined) {
        throw new RequestError("UNAVAILABLE", "another config change waits for its confirmation", {
          retryable: true,
          retryAfterMs: Math.max(0, record.expiresAtMs - now()),
        });
      }
      const formerText = (await readConfigText(configPath)) ?? null;
      const expiresAtMs = now() + confirmMs;
      const begun = { id: randomUUID(), configPath, formerText, newText: null };
      record = { ...begun, confirmMs, expiresAtMs };
      writeChangeRecord(recordPath, record);
      try {
        const written = await write();
        record = { ...record, newText: written.text };
        writeChangeRecord(recordPath, record);
        // It may have been noticed before all of it was on the disk, or change nothing at all.
        const isRunning = running !== undefined && running.text === written.text;
        if (isRunning || written.text === formerText) appliedAtMs = now();
        wait(record);
        return { written, ticket: { id: record.id, expiresAtMs } };
      } catch (error) {
        forget();
        throw error;
      }
    },
    applied(text) {
      running = { text };
      // One that was read before the change was written says nothing of it.
      const isBefore = record?.newText === null || text === (record?.formerText ?? undefined);
      if (record !== undefined && !isBefore) appliedAtMs ??= now();
    },
    confirm(id, caller) {
      // Whoever confirms a change that is being taken back is too late, and is told so.
      if (record?.id !== id || takingBack !== undefined) {
        throw new RequestError("INVALID_REQUEST", "no such config change waits for a confirmation");
      }
      if (appliedAtMs === undefined) {
        throw new RequestError("UNAVAILABLE", "the config change is not applied yet", {
          retryable: true,
          retryAfterMs: 500,
        });
      }
      if (caller.connectedAtMs === undefined || caller.connectedAtMs < appliedAtMs) {
        throw new RequestError(
          "INVALID_REQUEST",
          "confirm over a connection that was made after the change; this one was there before",
        );
      }
      logger.info({ id, path: configPath }, "config change confirmed");
      forget();
    },
    takeBack,
    stop() {
      cancel?.();
      cancel = undefined;
    },
    get ticket() {
      return record === undefined ? undefined : { id: record.id, expiresAtMs: record.expiresAtMs };
    },
  };
}

/** Whether the file may be writable in a moment. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof ConfigError &&
    (error.code === "CONFIG_LOCKED" || error.code === "CONFIG_NOT_WRITTEN")
  );
}

/** Whether a change was made whose process was killed before it could say so. */
async function wasWritten(
  { configPath, formerText }: ChangeRecord,
  present: string | undefined,
): Promise<boolean> {
  if (present === (formerText ?? undefined)) return false;
  // Where there was no file there is no copy of it.
  if (formerText === null) return true;
  // The former text is put aside before the new one takes its place.
  const file = await realpath(configPath).catch(() => configPath);
  return (await readConfigText(`${file}.bak`).catch(() => undefined)) === formerText;
}
