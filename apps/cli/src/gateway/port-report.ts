import { findPortHolders, holderHint, type PortHolder } from "@openclaw/gateway/port-holder";

/** Who listens on a port of this machine, and what follows from it. */
export interface PortReport {
  port: number;
  status: "free" | "busy";
  listeners: PortHolder[];
  hints: string[];
}

/** A Gateway that answers is where it should be, and needs no hint. */
export async function reportPort(port: number, isAnswering: boolean): Promise<PortReport> {
  const listeners = await findPortHolders(port);
  if (listeners.length === 0) return { port, status: "free", listeners, hints: [] };
  return {
    port,
    status: "busy",
    listeners,
    hints: isAnswering ? [] : [holderHint(listeners, port)],
  };
}
