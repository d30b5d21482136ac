/** The port of a `ws:` or `wss:` URL, also where it is the scheme's own and so not to be seen. */
export function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  if (port !== "") return Number(port);
  return protocol === "wss:" ? 443 : 80;
}
