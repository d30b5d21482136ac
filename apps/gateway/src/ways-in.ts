import { lanAddresses, tailnetAddresses } from "@openclaw/exposure";

/** The ways to a Gateway, as they come up while it starts. */
export interface WaysIn {
  /** Where it listens. */
  listening: readonly string[];
  /** `wss://` name that Tailscale serves. */
  exposed: string | undefined;
}

/**
 * The addresses that another machine can use, the best first: a name with a certificate that everybody
 * knows, then the tailnet, then the network here. Loopback is none.
 */
export function reachableUrls({ listening, exposed }: WaysIn): string[] {
  const urls = listening.flatMap(spread).filter((url) => !isLoopback(new URL(url).hostname));
  const { ipv4, ipv6 } = tailnetAddresses();
  const isTailnet = (url: string): boolean => {
    const { hostname } = new URL(url);
    return hostname === ipv4 || hostname === `[${ipv6}]`;
  };
  return [
    ...new Set([
      ...(exposed === undefined ? [] : [exposed]),
      ...urls.filter(isTailnet),
      ...urls.filter((url) => !isTailnet(url)),
    ]),
  ];
}

/** The addresses that a person is told: in the place of a wildcard those that it stands for. */
export function shownUrls(listening: readonly string[]): string[] {
  return listening.flatMap((url) => {
    const spreadOut = spread(url);
    return spreadOut.length === 0 ? [url] : spreadOut;
  });
}

/** A wildcard stands for each address of this machine that others may know. */
function spread(text: string): string[] {
  const url = new URL(text);
  if (url.hostname !== "0.0.0.0" && url.hostname !== "[::]") return [text];
  const { ipv4, ipv6 } = tailnetAddresses();
  const wanted = url.hostname === "[::]" ? 6 : 4;
  const hosts = [ipv4, ipv6, ...lanAddresses()].filter((address) => address !== undefined);
  return hosts
    .filter((address) => (address.includes(":") ? 6 : 4) === wanted)
    .map(
      (address) =>
        `${url.protocol}//${address.includes(":") ? `[${address}]` : address}:${url.port}`,
    );
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}
