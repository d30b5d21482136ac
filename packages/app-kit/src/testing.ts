import type { ProgramIo, StopSignal } from "./program-io.ts";

/** Options of {@link createMemoryIo}. */
export interface MemoryIoOptions {
  /** Home and working directory. */
  home: string;
  /** More than `HOME`. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Of both streams. @default false */
  isTTY?: boolean;
  /** @default throws, since no program should have to end itself */
  onTerminate?: (exitCode: number) => void;
}

/** Surroundings in memory, with the other ends of everything. */
export interface MemoryIo {
  readonly io: ProgramIo;
  /** What was written so far. */
  readonly out: { stdout: string; stderr: string };
  /** Sends a stop signal. @default "SIGTERM" */
  signal(name?: StopSignal): void;
  /** Asks the program to begin anew. */
  restart(): void;
}

/** Lets a test call a program as a function. */
export function createMemoryIo(options: MemoryIoOptions): MemoryIo {
  const { home, env = {}, isTTY = false, onTerminate = refuseToTerminate } = options;
  const out = { stdout: "", stderr: "" };
  const listeners = new Set<(signal: StopSignal) => void>();
  const restartListeners = new Set<() => void>();
  return {
    out,
    io: {
      stdout: { isTTY, write: (text) => void (out.stdout += text) },
      stderr: { isTTY, write: (text) => void (out.stderr += text) },
      env: { HOME: home, ...env },
      homedir: home,
      cwd: home,
      onSignal(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
      onRestart(listener) {
        restartListeners.add(listener);
        return () => void restartListeners.delete(listener);
      },
      terminate: onTerminate,
    },
    signal(name = "SIGTERM") {
      for (const listener of listeners) listener(name);
    },
    restart() {
      for (const listener of restartListeners) listener();
    },
  };
}

function refuseToTerminate(exitCode: number): never {
  throw new Error(`the program ended itself with ${exitCode}`);
}
