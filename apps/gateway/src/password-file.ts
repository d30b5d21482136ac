import { readFileSync } from "node:fs";
import { messageOf } from "@openclaw/app-kit";
import type { GatewayRunFlags } from "./start-plan.ts";
import type { StartRefusal } from "./start-refusal.ts";

/** Takes the first line of `--password-file` for `--password`. */
export function readPasswordFile(
  flags: GatewayRunFlags,
): GatewayRunFlags | { refusal: StartRefusal } {
  const { passwordFile } = flags;
  if (passwordFile === undefined) return flags;
  const refusal = (message: string): { refusal: StartRefusal } => ({
    refusal: { id: "R7", message, hints: [], exitCode: 1 },
  });
  if (flags.password !== undefined) {
    return refusal("--password and --password-file cannot be combined");
  }
  try {
    const password = readFileSync(passwordFile, "utf8").split(/\r?\n/, 1)[0]?.trim() ?? "";
    if (password === "") return refusal(`the first line of ${passwordFile} is empty`);
    return { ...flags, password };
  } catch (error) {
    return refusal(`cannot read ${passwordFile}: ${messageOf(error)}`);
  }
}
