import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory that goes away with the test. */
export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
  /** Joins `path` and the parts. */
  file(...parts: string[]): string;
}

/** Creates an empty directory; disposing of it removes it with all that is in it. */
export async function temporaryDirectory(prefix = "openclaw-test-"): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), prefix));
  return {
    path,
    file: (...parts) => join(path, ...parts),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}
