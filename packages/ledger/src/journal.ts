import { join } from "node:path";
import process from "node:process";
import { LedgerError } from "./errors.ts";
import type { LedgerFileSystem } from "./file-system.ts";
import type { Segment } from "./ledger-index.ts";
import { checkpointLine, segmentLine } from "./record-line.ts";
import { segmentName } from "./segment-names.ts";

/** Where a batch was written. */
export interface WrittenBatch {
  segment: Segment;
  /** Offset of the first record of the batch, in bytes. */
  offset: number;
  /** Size of the segment before the batch, in bytes. */
  sizeBefore: number;
}

/** The files of the journal: one that grows, and the full ones before it. */
export interface Journal {
  /** Oldest first; the last one grows. */
  readonly segments: readonly Segment[];
  readonly sizeBytes: number;
  /** Something was written that no sync has covered. */
  readonly isDirty: boolean;
  /**
   * Writes a batch in one piece.
   *
   * @throws LedgerError `IO`; then nothing of the batch remains in the journal
   */
  append(text: string, bytes: number): WrittenBatch;
  /** Removes the last batch, because it could not be made durable. */
  takeBack(batch: WrittenBatch): void;
  /** Makes durable what is written so far; one sync at a time. `done` gets the error, if any. */
  sync(done: (error?: LedgerError) => void): void;
  /** Reads `length` bytes of a segment. @throws LedgerError `IO` */
  read(segment: Segment, offset: number, length: number): Buffer;
  /** Allows the oldest segment to be deleted, once all that is written by now is durable. */
  releaseOldest(): void;
  close(): void;
}

export interface JournalOptions {
  directory: string;
  segmentBytes: number;
  /** The segments found at the start, oldest first. */
  segments: Segment[];
  fs: LedgerFileSystem;
}

export function createJournal({ directory, segmentBytes, segments, fs }: JournalOptions): Journal {
  let fd: number | undefined;
  let sizeBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  // After a failed write the file may be longer than what is acknowledged; nothing is written before
  // that rest is cut off, because part of it could look like valid records.
  let hasUncutRest = false;
  let isDirty = false;
  let isSyncing = false;
  let afterSync: (() => void)[] = [];
  let isDirectoryDirty = false;
  let checkpoint: string | undefined;
  // Full segments that no sync has covered. Those found at the start belong to it, because nothing
  // tells whether the former process had synced them.
  let unsyncedFull: { segment: Segment; fd: number | undefined }[] = segments
    .slice(0, -1)
    .map((segment) => ({ segment, fd: undefined }));
  // Segments that may go, with the point that must be durable before.
  const releasable: { segment: Segment; after: Segment; afterBytes: number }[] = [];

  const current = (): Segment | undefined => segments.at(-1);

  function fail(cause: unknown, what: string, path: string): LedgerError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new LedgerError("IO", `cannot ${what} ${path}: ${reason}`, {
      cause,
      file: path,
      hint: "Check the free space and the rights of the state directory.",
    });
  }

  /** Opens the segment that takes the next batch; starts a new one if the last is full. */
  function writableSegment(): { segment: Segment; fd: number } {
    const last = current();
    if (last !== undefined && last.sizeBytes < segmentBytes) {
      fd ??= open(last, "r+");
      return { segment: last, fd };
    }
    const number = (last?.number ?? 0) + 1;
    const path = join(directory, segmentName(number));
    const segment = { number, path, sizeBytes: 0, liveOpen: 0, liveFinished: 0, liveBytes: 0 };
    const newFd = open(segment, "w+");
    if (last !== undefined && fd !== undefined) {
      // A running sync still uses the descriptor; whoever syncs it last closes it.
      if (isDirty || isSyncing) unsyncedFull.push({ segment: last, fd });
      else fs.closeSync(fd);
    }
    fd = newFd;
    isDirectoryDirty = true;
    segments.push(segment);
    return { segment, fd };
  }

  function open(segment: Segment, flags: "r+" | "w+"): number {
    try {
      return fs.openSync(segment.path, flags, 0o600);
    } catch (cause) {
      throw fail(cause, "open", segment.path);
    }
  }

  function cutRest(segment: Segment, descriptor: number): void {
    if (!hasUncutRest) return;
    fs.ftruncateSync(descriptor, segment.sizeBytes);
    hasUncutRest = false;
  }

  function tryCutRest(segment: Segment, descriptor: number): void {
    try {
      cutRest(segment, descriptor);
    } catch {
      // Tried again before the next write.
    }
  }

  function writeAll(descriptor: number, text: string, bytes: number, position: number): void {
    let written = fs.writeSync(descriptor, text, position, "utf8");
    if (written === bytes) return;
    const rest = Buffer.from(text, "utf8");
    while (written < bytes) {
      const step = fs.writeSync(descriptor, rest, written, bytes - written, position + written);
      if (step === 0) throw new Error("the write made no progress");
      written += step;
    }
  }

  /** A new file is durable only when its directory is. Windows has no such call and no such need. */
  function syncDirectory(done: (cause?: unknown) => void): void {
    if (!isDirectoryDirty || process.platform === "win32") return done();
    let descriptor: number;
    try {
      descriptor = fs.openSync(directory, "r");
    } catch (cause) {
      return done(cause);
    }
    isDirectoryDirty = false;
    // Not on this thread: a busy disk would hold up every peer.
    fs.fsync(descriptor, (cause) => {
      fs.closeSync(descriptor);
      if (cause !== null) isDirectoryDirty = true;
      done(cause ?? undefined);
    });
  }

  function deleteReleased(segment: Segment, bytes: number): void {
    let first = releasable[0];
    while (first !== undefined) {
      const isCovered =
        first.after.number < segment.number ||
        (first.after === segment && first.afterBytes <= bytes);
      if (!isCovered) return;
      releasable.shift();
      try {
        fs.unlinkSync(first.segment.path);
      } catch {
        // A file that stays is read again at the next start and found to be replaced by later ones.
      }
      first = releasable[0];
    }
  }

  const journal: Journal = {
    segments,
    get sizeBytes() {
      return sizeBytes;
    },
    get isDirty() {
      return isDirty;
    },

    append(text, bytes) {
      const { segment, fd: descriptor } = writableSegment();
      let prefix = segment.sizeBytes === 0 ? segmentLine(segment.number) : "";
      if (checkpoint !== undefined) prefix += checkpoint;
      const total = prefix.length + bytes;
      try {
        cutRest(segment, descriptor);
        writeAll(descriptor, prefix + text, total, segment.sizeBytes);
      } catch (cause) {
        hasUncutRest = true;
        tryCutRest(segment, descriptor);
        throw fail(cause, "write to", segment.path);
      }
      checkpoint = undefined;
      const sizeBefore = segment.sizeBytes;
      segment.sizeBytes += total;
      sizeBytes += total;
      isDirty = true;
      return { segment, offset: sizeBefore + prefix.length, sizeBefore };
    },

    takeBack({ segment, sizeBefore }) {
      if (segment !== current() || fd === undefined) return;
      sizeBytes -= segment.sizeBytes - sizeBefore;
      segment.sizeBytes = sizeBefore;
      hasUncutRest = true;
      tryCutRest(segment, fd);
    },

    sync(done) {
      if (isSyncing) {
        afterSync.push(() => journal.sync(done));
        return;
      }
      const segment = current();
      if (!isDirty || segment === undefined || fd === undefined) return done();
      const descriptor = fd;
      const bytes = segment.sizeBytes;
      const steps = [...unsyncedFull, { segment, fd: descriptor }];
      unsyncedFull = [];
      isDirty = false;
      isSyncing = true;

      const end = (error?: LedgerError): void => {
        isSyncing = false;
        const waiting = afterSync;
        afterSync = [];
        done(error);
        for (const next of waiting) next();
      };
      const failed = (cause: unknown, path: string): void => {
        isDirty = true;
        unsyncedFull.unshift(...steps.filter((step) => step.fd !== descriptor));
        end(fail(cause, "sync", path));
      };
      const next = (): void => {
        const step = steps[0];
        if (step === undefined) {
          checkpoint = checkpointLine(segment.number, bytes);
          deleteReleased(segment, bytes);
          return end();
        }
        try {
          step.fd ??= fs.openSync(step.segment.path, "r+");
        } catch (cause) {
          return failed(cause, step.segment.path);
        }
        fs.fdatasync(step.fd, (cause) => {
          if (cause !== null) return failed(cause, step.segment.path);
          steps.shift();
          if (step.fd !== undefined && step.fd !== descriptor) fs.closeSync(step.fd);
          next();
        });
      };
      syncDirectory((cause) => {
        if (cause === undefined) next();
        else failed(cause, directory);
      });
    },

    read(segment, offset, length) {
      const bytes = Buffer.allocUnsafe(length);
      try {
        const isCurrent = segment === current() && fd !== undefined;
        const descriptor = isCurrent && fd !== undefined ? fd : fs.openSync(segment.path, "r");
        try {
          const read = fs.readSync(descriptor, bytes, 0, length, offset);
          if (read !== length) throw new Error(`${read} of ${length} bytes are there`);
        } finally {
          if (!isCurrent) fs.closeSync(descriptor);
        }
      } catch (cause) {
        throw fail(cause, "read", segment.path);
      }
      return bytes;
    },

    releaseOldest() {
      const segment = segments[0];
      const after = current();
      if (segment === undefined || after === undefined || segment === after) return;
      segments.shift();
      sizeBytes -= segment.sizeBytes;
      releasable.push({ segment, after, afterBytes: after.sizeBytes });
      unsyncedFull = unsyncedFull.filter((step) => {
        if (step.segment !== segment) return true;
        if (step.fd !== undefined) fs.closeSync(step.fd);
        return false;
      });
      if (!isDirty && !isSyncing) deleteReleased(after, after.sizeBytes);
    },

    close() {
      for (const { fd: descriptor } of unsyncedFull) {
        if (descriptor !== undefined) fs.closeSync(descriptor);
      }
      unsyncedFull = [];
      if (fd !== undefined) fs.closeSync(fd);
      fd = undefined;
    },
  };
  return journal;
}
