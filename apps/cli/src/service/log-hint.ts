import { join } from "node:path";
import process from "node:process";

/** The command or the file that shows what a service has written. */
export function logHint(stateDir: string, unit: string): string {
  if (process.platform === "linux") return `journalctl --user -u ${unit} -n 50`;
  return join(stateDir, "logs");
}
