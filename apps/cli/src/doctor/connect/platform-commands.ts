/** Commands that each system calls differently. */
interface PlatformCommands {
  /** Sets the clock by the network. */
  readonly setClock: string;
  /** Shows the way that the system would take to an address. */
  readonly showRoute: (address: string) => string;
}

const COMMANDS: Readonly<Partial<Record<NodeJS.Platform, PlatformCommands>>> = {
  darwin: {
    setClock: "sudo sntp -sS time.apple.com",
    showRoute: (address) => `route -n get ${address}`,
  },
  win32: {
    setClock: "w32tm /resync",
    showRoute: (address) => `Find-NetRoute -RemoteIPAddress ${address}`,
  },
};

const USUAL: PlatformCommands = {
  setClock: "sudo timedatectl set-ntp true",
  showRoute: (address) => `ip route get ${address}`,
};

export function platformCommands(platform: NodeJS.Platform = process.platform): PlatformCommands {
  return COMMANDS[platform] ?? USUAL;
}
