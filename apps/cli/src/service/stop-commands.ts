import type { ServiceNames } from "@openclaw/service";

/** A user id, where the system has such. */
type Uid = number | undefined;

/** What a person types on this system to stop the Gateway's service without this program. */
export function stopCommand(
  platform: NodeJS.Platform,
  { launchdLabel, systemdUnit, windowsTask }: ServiceNames,
  uid: Uid,
): string {
  if (platform === "darwin") return `launchctl bootout gui/${uid ?? "$UID"}/${launchdLabel}`;
  if (platform === "win32") return `schtasks /End /TN "${windowsTask}"`;
  return `systemctl --user stop ${systemdUnit}`;
}
