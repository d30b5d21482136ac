import { connect, createServer, Socket } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { createFaultLink } from "./fault-link.ts";
import type { CutKind, FaultLink, LinkConditions } from "./fault-link.ts";
import { createInbox } from "./inbox.ts";
import type { NextOptions } from "./inbox.ts";

/** Where connections are passed on to. */
export interface ProxyTarget {
  host: string;
  port: number;
}

/**
 * What happens to a new connection.
 *
 * - `pass`: it is connected to the target.
 * - `refuse`: nothing listens, so that the dial fails with ECONNREFUSED.
 * - `reset`: it is accepted and reset.
 * - `blackhole`: it is accepted, and never hears a thing.
 */
export type AcceptMode = "pass" | "refuse" | "reset" | "blackhole";

/** Conditions of both directions. */
export interface ProxyConditions {
  /** From the client that dialled the proxy to the target. */
  toTarget?: LinkConditions;
  /** From the target to the client. */
  toClient?: LinkConditions;
}

/** Options of {@link createFaultProxy}. */
export interface FaultProxyOptions {
  target: ProxyTarget;
  /** Source of jitter, for runs that are to be repeated. @default Math.random */
  random?: () => number;
}

/** One connection through the proxy. */
export interface ProxyConnection {
  /** Counted from 1 in the order of acceptance. */
  readonly id: number;
  readonly isOpen: boolean;
  readonly toTarget: FaultLink;
  readonly toClient: FaultLink;
  /** Changes both directions. */
  set(conditions: ProxyConditions): void;
  /** Ends both sides: with FIN, with RST, or by dropping everything from now on. */
  cut(kind?: CutKind): void;
  /** Resolves when both sides are gone. */
  readonly closed: Promise<void>;
}

/** A TCP proxy that misbehaves on demand. */
export interface FaultProxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** `ws://host:port/`. */
  readonly url: string;
  /** The connections that are open, oldest first. */
  readonly connections: readonly ProxyConnection[];
  /** How many connections were accepted so far. */
  readonly accepted: number;
  /** Takes the next connection: one that was accepted and not taken yet, or the next to come. */
  nextConnection(options?: NextOptions): Promise<ProxyConnection>;
  /** Where new connections go from now on, e.g. after the target was started anew. */
  retarget(target: ProxyTarget): void;
  /** What happens to new connections from now on. */
  accept(mode: AcceptMode): Promise<void>;
  /** Changes the conditions of every open connection and of those to come. */
  set(conditions: ProxyConditions): void;
  /** Perfect links again, for every open connection and those to come. */
  clear(): void;
  /** Ends every open connection. */
  cutAll(kind?: CutKind): void;
  /** Resets what is open and stops listening; the second call returns the first promise. */
  close(): Promise<void>;
}

/**
 * Starts a proxy on a free port of 127.0.0.1.
 *
 * The kernel keeps a few hundred KiB of buffers on either side of it: a stalled link pushes back on
 * its sender only when those are full.
 */
export async function createFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const { random = Math.random } = options;
  const open = new Set<ProxyConnection>();
  const arrivals = createInbox<ProxyConnection>((connection) => `connection ${connection.id}`);
  let target = options.target;
  let mode: AcceptMode = "pass";
  let accepted = 0;
  let conditions: Required<ProxyConditions> = { toTarget: {}, toClient: {} };
  let closing: Promise<void> | undefined;
  let server: Server | undefined = await listen(0);
  const { port } = server.address() as AddressInfo;

  async function listen(onPort: number): Promise<Server> {
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, serve);
    await new Promise<void>((resolve, reject) => {
      listener.once("error", reject);
      listener.listen(onPort, "127.0.0.1", resolve);
    });
    return listener;
  }

  function serve(client: Socket): void {
    if (mode === "reset") {
      client.on("error", ignore);
      client.resetAndDestroy();
      return;
    }
    accepted += 1;
    const connection = joinConnection({
      id: accepted,
      client,
      target: mode === "blackhole" ? undefined : target,
      random,
    });
    if (mode === "blackhole") connection.cut("silence");
    else connection.set(conditions);
    open.add(connection);
    void connection.closed.then(() => open.delete(connection));
    arrivals.push(connection);
  }

  const proxy: FaultProxy = {
    host: "127.0.0.1",
    port,
    url: `ws://127.0.0.1:${port}/`,
    get connections() {
      return [...open];
    },
    get accepted() {
      return accepted;
    },
    nextConnection: (next) =>
      arrivals.next(() => true, { what: "a connection to the proxy", ...next }),
    retarget(changed) {
      target = changed;
    },
    async accept(changed) {
      mode = changed;
      if (changed === "refuse") {
        server?.close();
        server = undefined;
        return;
      }
      server ??= await listen(port);
    },
    set(changed) {
      conditions = {
        toTarget: { ...conditions.toTarget, ...changed.toTarget },
        toClient: { ...conditions.toClient, ...changed.toClient },
      };
      for (const connection of open) connection.set(changed);
    },
    clear() {
      conditions = { toTarget: {}, toClient: {} };
      for (const connection of open) {
        connection.toTarget.clear();
        connection.toClient.clear();
      }
    },
    cutAll(kind) {
      for (const connection of open) connection.cut(kind);
    },
    close() {
      closing ??= (async () => {
        const listener = server;
        const stopped = new Promise<void>((resolve) => {
          if (listener) listener.close(() => resolve());
          else resolve();
        });
        server = undefined;
        const ends = [...open].map((connection) => connection.closed);
        for (const connection of open) connection.cut();
        await Promise.all([stopped, ...ends]);
        arrivals.end(new Error("the proxy was closed"));
      })();
      return closing;
    },
    [Symbol.asyncDispose]: () => proxy.close(),
  };
  return proxy;
}

interface JoinOptions {
  id: number;
  client: Socket;
  /** None for a black hole. */
  target: ProxyTarget | undefined;
  random: () => number;
}

function joinConnection({ id, client, target, random }: JoinOptions): ProxyConnection {
  const upstream = target
    ? connect({ ...target, allowHalfOpen: true, noDelay: true })
    : new Socket();
  const sockets = target ? [client, upstream] : [client];
  const { promise: closed, resolve: settleClosed } = Promise.withResolvers<void>();
  /** Sides that were reset while their link let nothing through: the other one does not know yet. */
  const untold = new Set<Socket>();
  let isOpen = true;
  let left = sockets.length;

  const shared = { random, cut, onChange: tellResets };
  const toTarget = createFaultLink({ source: client, destination: upstream, ...shared });
  const toClient = createFaultLink({ source: upstream, destination: client, ...shared });

  for (const socket of sockets) {
    // An error is a reset by that side; "close" follows, and tells the other side.
    socket.on("error", ignore);
    socket.on("close", (hadError) => {
      left -= 1;
      if (left === 0) settle();
      // An orderly end went through the link already, behind the bytes that came before it.
      else if (hadError) untold.add(socket);
      tellResets();
    });
  }

  function tellResets(): void {
    for (const socket of untold) {
      const link = socket === client ? toTarget.link : toClient.link;
      if ((link.conditions.flow ?? "pass") !== "pass") continue;
      untold.delete(socket);
      (socket === client ? upstream : client).resetAndDestroy();
    }
  }

  function settle(): void {
    isOpen = false;
    toTarget.dispose();
    toClient.dispose();
    settleClosed();
  }

  function cut(kind: CutKind = "reset"): void {
    if (kind === "silence") {
      toTarget.link.set({ flow: "drop" });
      toClient.link.set({ flow: "drop" });
      return;
    }
    toTarget.dispose();
    toClient.dispose();
    for (const socket of sockets) {
      if (kind === "reset") socket.resetAndDestroy();
      else socket.destroySoon();
    }
  }

  return {
    id,
    get isOpen() {
      return isOpen;
    },
    toTarget: toTarget.link,
    toClient: toClient.link,
    set(conditions) {
      if (conditions.toTarget) toTarget.link.set(conditions.toTarget);
      if (conditions.toClient) toClient.link.set(conditions.toClient);
    },
    cut,
    closed,
  };
}

function ignore(): void {
  // Reported through "close".
}
