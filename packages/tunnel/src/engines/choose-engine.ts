import { TunnelError } from "../errors.ts";
import type { SshSettings } from "../settings/ssh-settings.ts";

/** Which engine carries a tunnel, and why. */
export interface EngineChoice {
  readonly name: "ssh2" | "system";
  /** For people. */
  readonly reason: string;
}

/** What only the system's ssh can do, in the settings of the target and of the hosts on the way. */
export function needsOfSystemSsh(
  settings: SshSettings,
  hops: readonly SshSettings[],
): readonly string[] {
  return [...hops, settings].flatMap(({ needsSystemSsh }) => needsSystemSsh);
}

/**
 * The engine in this process, unless the settings need the program or the caller names one.
 *
 * @throws {@link TunnelError} `UNSUPPORTED_SETTING`, `ENGINE_MISSING`
 */
export function chooseEngine(
  wanted: "ssh2" | "system" | undefined,
  needs: readonly string[],
  sshProgram: string | undefined,
): EngineChoice {
  if (wanted === "system") {
    if (sshProgram === undefined) throw missing("was asked for");
    return { name: "system", reason: "asked for" };
  }
  if (needs.length === 0) {
    return { name: "ssh2", reason: wanted === "ssh2" ? "asked for" : "the default" };
  }
  const list = needs.join("; ");
  if (wanted === "ssh2") {
    throw new TunnelError("UNSUPPORTED_SETTING", `the engine ssh2 cannot do this: ${list}.`, {
      details: { settings: needs },
      hint: "Leave the engine open or choose `system`.",
    });
  }
  if (sshProgram === undefined) throw missing(`is needed: ${list}`);
  return { name: "system", reason: list };
}

function missing(why: string): TunnelError {
  return new TunnelError("ENGINE_MISSING", `the system's ssh ${why}, and there is none.`, {
    hint: "Install an OpenSSH client.",
  });
}
