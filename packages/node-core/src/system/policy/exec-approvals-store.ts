import { hash, randomUUID } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import {
  execApprovalsFileSchema,
  validateParams,
  type ExecApprovalsFile,
  type ExecApprovalsSnapshot,
} from "@openclaw/protocol";
import { CommandError } from "../../errors.ts";

/** The exec approvals of this host, in a file that only its user can read. */
export interface ExecApprovalsStore {
  /**
   * The file as it is, socket token included.
   *
   * @throws {CommandError} `UNAVAILABLE` if it is there but cannot be read as one
   */
  load(): LoadedApprovals;
  /** What callers may see: without the socket token. @throws as `load` does */
  snapshot(): ExecApprovalsSnapshot;
  /**
   * Replaces the file, if it is still the one with `baseHash`. A socket token that is there stays.
   *
   * @throws {CommandError} `INVALID_REQUEST` if it is not, or no hash was given
   */
  replace(file: ExecApprovalsFile, baseHash: string | undefined): ExecApprovalsSnapshot;
}

export interface LoadedApprovals {
  exists: boolean;
  /** Hex SHA-256 of the stored text; of the empty text while there is no file. */
  hash: string;
  file: ExecApprovalsFile;
}

const TRY_AGAIN = "re-run exec.approvals.get and retry";

export function createExecApprovalsStore(path: string): ExecApprovalsStore {
  function load(): LoadedApprovals {
    const text = readText(path);
    if (text === undefined) return { exists: false, hash: hashOf(""), file: { version: 1 } };
    return { exists: true, hash: hashOf(text), file: parse(path, text) };
  }

  function toSnapshot({ exists, hash: fileHash, file }: LoadedApprovals): ExecApprovalsSnapshot {
    const { socket, ...rest } = file;
    const shown = socket?.path === undefined ? rest : { ...rest, socket: { path: socket.path } };
    return { path, exists, hash: fileHash, file: shown };
  }

  return {
    load,
    snapshot: () => toSnapshot(load()),
    replace(file, baseHash) {
      const current = loadForReplace(load);
      if (current.exists && baseHash === undefined) {
        throw invalid(`exec approvals base hash required; ${TRY_AGAIN}`);
      }
      if (baseHash !== undefined && baseHash !== current.hash) {
        throw invalid(`exec approvals changed since last load; ${TRY_AGAIN}`);
      }
      const socket = { ...current.file.socket, ...file.socket };
      const token = current.file.socket?.token;
      if (token !== undefined) socket.token = token;
      const stored = Object.keys(socket).length === 0 ? file : { ...file, socket };
      writeAtomically(path, `${JSON.stringify(stored, null, 2)}\n`);
      return toSnapshot(load());
    },
  };
}

/** Without the hash of what is there, nobody can say whether the caller has seen it. */
function loadForReplace(load: () => LoadedApprovals): LoadedApprovals {
  try {
    return load();
  } catch (cause) {
    throw new CommandError(
      "INVALID_REQUEST",
      `exec approvals base hash unavailable; ${TRY_AGAIN}`,
      { cause },
    );
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw unreadable(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function parse(path: string, text: string): ExecApprovalsFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unreadable(path, "it is not JSON", cause);
  }
  const checked = validateParams(execApprovalsFileSchema, value);
  if (!checked.ok) throw unreadable(path, checked.detail, undefined);
  return checked.value;
}

function unreadable(path: string, reason: string, cause: unknown): CommandError {
  const message = `exec approvals file ${path} cannot be read: ${reason}; repair or remove it`;
  return new CommandError("UNAVAILABLE", message, { cause });
}

function invalid(message: string): CommandError {
  return new CommandError("INVALID_REQUEST", message);
}

function hashOf(text: string): string {
  return hash("sha256", text, "hex");
}

/** Old or new content, whatever happens in between. */
function writeAtomically(path: string, text: string): void {
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(draft, text, { mode: 0o600, flag: "wx" });
    const fd = openSync(draft, "r+");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(draft, path);
  } catch (cause) {
    rmSync(draft, { force: true });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError("UNAVAILABLE", `exec approvals cannot be written: ${reason}`, { cause });
  }
}
