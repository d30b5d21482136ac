import { existsSync } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { trackPublishedLocks } from "./published-locks.ts";

const FOLDER = `/tmp/openclaw-state-locks-${process.getuid?.() ?? 0}`;

test.runIf(process.platform === "linux")(
  "removes locks that came meanwhile, but none that somebody holds or that were there before",
  async () => {
    await mkdir(FOLDER, { recursive: true, mode: 0o700 });
    const name = (kind: string): string =>
      join(FOLDER, `${kind}.${process.pid.toString(16)}.lock.sqlite`);
    const create = async (kind: string) => {
      onTestFinished(() => rm(name(kind), { force: true }));
      return open(name(kind), "w");
    };
    await (await create("before")).close();
    const tracked = await trackPublishedLocks();
    await (await create("left")).close();
    const holder = await create("held");
    await tracked[Symbol.asyncDispose]();
    expect(existsSync(name("before"))).toBe(true);
    expect(existsSync(name("left"))).toBe(false);
    expect(existsSync(name("held"))).toBe(true);
    await holder.close();
  },
);
