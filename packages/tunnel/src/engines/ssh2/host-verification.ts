import { fingerprintOf, keyTypeOf } from "../../host-keys/fingerprint.ts";
import { readKnownHosts } from "../../host-keys/known-hosts.ts";
import { orderHostKeyAlgorithms } from "../../host-keys/preferred-algorithms.ts";
import { recordHostKey } from "../../host-keys/record-host-key.ts";
import { decideHostKey } from "../../host-keys/verify-host-key.ts";
import { knownHostsName } from "../../host-keys/known-hosts-name.ts";
import type { SshSettings } from "../../settings/ssh-settings.ts";
import type { EngineOptions, ShownHostKey } from "../engine.ts";

/** The check of one host's key. */
export interface HostVerification {
  /** The types that are known for the host go first, so that it shows one of those. */
  orderAlgorithms(offered: readonly string[]): readonly string[];
  /**
   * Accepts the key or throws, and records a new one where the policy says so.
   *
   * @throws TunnelError `HOST_KEY_UNKNOWN`, `HOST_KEY_CHANGED`, `HOST_KEY_REVOKED`
   */
  verify(blob: Buffer): Promise<ShownHostKey>;
}

/** Reads what is known about a host, before it is asked. */
export async function prepareHostVerification(
  settings: SshSettings,
  { hostKeyPolicy, hostKeyFingerprint, onNewHostKey, logger }: EngineOptions,
  isTarget: boolean,
): Promise<HostVerification> {
  const name = knownHostsName(settings);
  const hosts = await readKnownHosts([
    ...settings.userKnownHostsFiles,
    ...settings.globalKnownHostsFiles,
  ]);
  if (hosts.malformed.length > 0) {
    logger.debug({ malformed: hosts.malformed }, "lines of known_hosts that cannot be read");
  }
  const known = hosts.lookup(name);
  let accepted: { readonly blob: Buffer; readonly shown: ShownHostKey } | undefined;

  function tell(shown: ShownHostKey): void {
    try {
      onNewHostKey?.(shown);
    } catch (error) {
      logger.error({ err: error }, "a listener for new host keys has thrown");
    }
  }

  return {
    orderAlgorithms: (offered) => orderHostKeyAlgorithms(known, offered),
    async verify(blob) {
      // Shown again with every exchange of keys, and by then no news.
      if (accepted?.blob.equals(blob)) return accepted.shown;
      const keyType = keyTypeOf(blob);
      const fingerprint = fingerprintOf(blob);
      const shown: ShownHostKey = { name: name.display, keyType, fingerprint };
      const decision = decideHostKey({
        shown: { name: name.display, type: keyType, blob, fingerprint },
        known,
        policy: hostKeyPolicy,
        strictHostKeyChecking: settings.strictHostKeyChecking,
        canRecord: settings.userKnownHostsFiles.length > 0,
        // A pin is the target's; the hosts on the way there are known by their own keys.
        pinnedFingerprint: isTarget ? hostKeyFingerprint : undefined,
      });
      if (decision.kind === "refuse") throw decision.error;
      if (decision.kind === "accept-and-record") {
        const [file] = settings.userKnownHostsFiles;
        if (file !== undefined) {
          await recordHostKey({
            file,
            name: name.display,
            type: keyType,
            blob,
            hash: settings.hashKnownHosts,
          });
        }
        logger.info({ host: name.display, keyType, fingerprint }, "new host key accepted");
        tell(shown);
      }
      accepted = { blob: Buffer.from(blob), shown };
      return shown;
    },
  };
}
