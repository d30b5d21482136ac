/** What `192.168.1.20` stands for here. */
export interface LanGateway {
  readonly port: number;
  /** Of its public key. */
  readonly pin: string;
  readonly token: string;
}

/** A command of a page as it has to be typed here, where the Gateway is on loopback. */
export function typedInLan(command: string, { port, pin, token }: LanGateway): string {
  const typed = command
    .replaceAll("<token>", token)
    .replaceAll("<pin>", pin)
    .replace("wss://192.168.1.20:18789", `wss://127.0.0.1:${port}`)
    .replace("--host 192.168.1.20", `--host 127.0.0.1 --port ${port}`);
  return command.endsWith("-file -") ? `echo ${token} | ${typed}` : typed;
}
