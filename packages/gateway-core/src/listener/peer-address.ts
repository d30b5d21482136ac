import type { IncomingMessage } from "node:http";

/** What the transport tells of a peer, before it has said anything. */
export interface PeerOrigin {
  /** Address of the TCP peer, IPv4-mapped IPv6 written as IPv4. */
  address: string | undefined;
  /** On this machine, and nobody claims to have forwarded the request. */
  isLocal: boolean;
  /** The `Origin` header: browsers send it, native clients do not. */
  browserOrigin: string | undefined;
  userAgent: string | undefined;
}

const FORWARDING = /^(forwarded|x-real-ip|x-forwarded-.*|tailscale-.*)$/;

/** Whether a request carries headers that only a proxy has reason to set. */
export function isForwarded(request: IncomingMessage): boolean {
  return Object.keys(request.headers).some((name) => FORWARDING.test(name));
}

export function peerOrigin(request: IncomingMessage): PeerOrigin {
  const address = plainAddress(request.socket.remoteAddress);
  return {
    address,
    isLocal: isLoopback(address) && !isForwarded(request),
    browserOrigin: request.headers.origin,
    userAgent: request.headers["user-agent"],
  };
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (address === "::1" || /^127\.\d+\.\d+\.\d+$/.test(address));
}

function plainAddress(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
}
