import { mkdir, writeFile, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Leftover } from "@openclaw/service";
import { shellWord } from "../config/shell-word.ts";
import type { ServiceFacts } from "./facts.ts";
import type { Repair } from "./finding.ts";

/** Stops a leftover and removes its file; a copy is kept in the state directory, and the way back named. */
export function removeLeftover({ manager, stateDir }: ServiceFacts, leftover: Leftover): Repair {
  const { label, path, supervisor } = leftover;
  return {
    question: `Stop ${label} and remove it? A copy of its file is kept.`,
    isForceful: true,
    async apply() {
      const kept = supervisor === "schtasks" ? undefined : await keep(path, stateDir);
      await manager.removeLeftover(leftover);
      return {
        did: `Stopped and removed ${label}${kept === undefined ? "" : `; a copy is ${kept}`}.`,
        undo: kept === undefined ? `Make the task ${label} again.` : wayBack(leftover, kept),
      };
    },
  };
}

/** Outside of the folder that the supervisor reads, and 0600: it may hold a secret. */
async function keep(path: string, stateDir: string): Promise<string> {
  const folder = join(stateDir, "service", "removed");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const content = await readFile(path);
  const kept = join(folder, `${basename(path)}.${Date.now()}`);
  await writeFile(kept, content, { mode: 0o600, flag: "wx" });
  return kept;
}

function wayBack({ supervisor, label, path }: Leftover, kept: string): string {
  const copy = `cp ${shellWord(kept)} ${shellWord(path)}`;
  return supervisor === "launchd"
    ? `${copy} && launchctl bootstrap gui/$UID ${shellWord(path)}`
    : `${copy} && systemctl --user daemon-reload && systemctl --user enable --now ${label}`;
}
