import { spawn } from "node:child_process";
import type { Writable } from "node:stream";

/**
 * Kills process groups when this process ends, however it ends.
 *
 * A shell of its own session keeps the list and waits for the end of its stdin, which comes even
 * when this process is killed with SIGKILL and no exit hook gets to run.
 */
const SCRIPT = `
groups=" "
while read -r action group; do
  case $action in
    add) groups="$groups$group " ;;
    remove) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
`;

let list: Writable | undefined;

/** From now on the process group `pid` ends with this process. */
export function reapWithMe(pid: number): void {
  list ??= startReaper();
  list.write(`add ${pid}\n`);
}

/** The group is gone; its number may belong to someone else from now on. */
export function forgetGroup(pid: number): void {
  list?.write(`remove ${pid}\n`);
}

function startReaper(): Writable {
  const reaper = spawn("/bin/sh", ["-c", SCRIPT], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  reaper.unref();
  reaper.stdin.on("error", () => undefined);
  // A pipe to a child is a socket, which can be unref'ed; the declared type does not say so.
  (reaper.stdin as Writable & { unref(): void }).unref();
  return reaper.stdin;
}
