import type { GatewayClient } from "@openclaw/client";

/** What a node needs of its client; tests put something smaller in its place. */
export type NodePeer = Pick<GatewayClient, "state" | "hello" | "on" | "requestRaw" | "request">;
