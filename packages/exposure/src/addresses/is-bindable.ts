import { createServer, isIP } from "node:net";

/**
 * Whether this machine can listen on an address: asks by listening there for a moment, on a port that
 * the system picks. A name is not looked up; only an address can be bindable.
 */
export function isBindable(address: string): Promise<boolean> {
  if (isIP(address) === 0) return Promise.resolve(false);
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: address, port: 0, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
