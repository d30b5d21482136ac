import type { EngineOptions } from "../engine.ts";
import { knownHostsName } from "../../host-keys/known-hosts-name.ts";
import type { SshSettings } from "../../settings/ssh-settings.ts";
import { readHopLog } from "./failures/explain-hops.ts";
import type { SystemRoute } from "./arguments/route.ts";
import type { SshLog } from "./ssh-log.ts";

/** Tells of each key that ssh has recorded on the way, with its fingerprint. */
export async function tellNewKeys({
  options,
  route,
  log,
}: {
  readonly options: Pick<EngineOptions, "settings" | "logger" | "onNewHostKey">;
  readonly route: Pick<SystemRoute, "hops">;
  readonly log: Pick<SshLog, "facts">;
}): Promise<void> {
  for (const hop of route.hops) {
    // In the order in which they were met.
    // oxlint-disable-next-line no-await-in-loop
    tell(hop.settings, await readHopLog(hop));
  }
  tell(options.settings, log);

  function tell(settings: SshSettings, { facts }: Pick<SshLog, "facts">): void {
    if (facts.recordedName === undefined || facts.hostKey === undefined) return;
    const { keyType, fingerprint } = facts.hostKey;
    const name = knownHostsName(settings).display;
    options.logger.info({ host: name, keyType, fingerprint }, "new host key accepted");
    options.onNewHostKey?.({ name, keyType, fingerprint });
  }
}
