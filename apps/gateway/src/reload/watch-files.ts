import { existsSync, type FSWatcher, statSync, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** Watches one folder; calls back with the name of what changed in it, or `null` when it is not known. */
export type WatchFolder = (
  folder: string,
  onEvent: (name: string | null) => void,
  onError: (error: unknown) => void,
) => () => void;

/** Watches files that may be replaced, removed, or not there yet, and so may their folders. */
export interface FileWatch {
  /** The files to watch from now on. Also finds folders again that were replaced. */
  arm(files: readonly string[]): void;
  close(): void;
}

interface Watched {
  /** Tells a folder from another one under the same name. */
  readonly identity: string;
  readonly names: Set<string>;
  close(): void;
}

/** A folder of the system's. It keeps no process alive. */
export const watchFolder: WatchFolder = (folder, onEvent, onError) => {
  const watcher: FSWatcher = watch(folder, { persistent: false }, (_, name) => onEvent(name));
  watcher.on("error", onError);
  return () => watcher.close();
};

/**
 * @param onChange called for everything that may concern one of the files; too often rather than never.
 * @param onError called where a folder cannot be watched.
 */
export function createFileWatch(
  onChange: () => void,
  onError: (error: unknown) => void,
  watchOne: WatchFolder = watchFolder,
): FileWatch {
  const folders = new Map<string, Watched>();
  return {
    arm(files) {
      const wanted = new Map<string, Set<string>>();
      for (const file of files) {
        const { folder, name } = nearestFolder(file);
        const names = wanted.get(folder) ?? new Set([basename(folder)]);
        wanted.set(folder, names.add(name));
      }
      for (const [folder, watched] of folders) {
        const names = wanted.get(folder);
        if (names !== undefined && watched.identity === identityOf(folder)) {
          watched.names.clear();
          for (const name of names) watched.names.add(name);
          wanted.delete(folder);
        } else {
          watched.close();
          folders.delete(folder);
        }
      }
      for (const [folder, names] of wanted) {
        try {
          const onEvent = (name: string | null): void => {
            if (name === null || names.has(name)) onChange();
          };
          const close = watchOne(folder, onEvent, onError);
          folders.set(folder, { identity: identityOf(folder), names, close });
        } catch (error) {
          onError(error);
        }
      }
    },
    close() {
      for (const watched of folders.values()) watched.close();
      folders.clear();
    },
  };
}

/** The folder of a file, or the first one above that is there, and what leads on from it. */
function nearestFolder(file: string): { folder: string; name: string } {
  let folder = dirname(file);
  let name = basename(file);
  while (!existsSync(folder) && dirname(folder) !== folder) {
    name = basename(folder);
    folder = dirname(folder);
  }
  return { folder, name };
}

function identityOf(folder: string): string {
  try {
    const { dev, ino } = statSync(folder);
    return `${dev}:${ino}`;
  } catch {
    return "gone";
  }
}
