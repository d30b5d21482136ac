import {
  hasAsyncssh,
  hasDropbear,
  hasSshd,
  generateSshKey,
  type RigServer,
  type SshServer,
  startDropbearServer,
  startMisbehavingSshServer,
  startOpenSshServer,
} from "@openclaw/testkit";
import { type Engine, engines } from "./tunnel-to.ts";

/** What the tests do to a server, whichever it is. */
export interface TestedServer extends RigServer {
  /** Fingerprint of its host key. */
  fingerprint(): string;
  /** How many connections it has had. */
  accepted(): number;
  /** Forbids forwards; may end the connections. */
  refuseForwards(): Promise<void>;
  /** Has another host key from the next connection on, and ends the others. */
  changeHostKey(): Promise<void>;
  dropConnections(): Promise<void>;
  /** Nothing answers any more; nothing is closed. */
  freeze(): void;
  thaw(): void;
}

export interface ServerKind {
  readonly name: "OpenSSH" | "Dropbear" | "asyncssh";
  /** Whether this machine has it. */
  readonly isHere: boolean;
  start(authorizedKey: string): Promise<TestedServer>;
}

/** The three SSH servers that everything has to work with. */
const serverKinds: readonly ServerKind[] = [
  {
    name: "OpenSSH",
    isHere: hasSshd,
    async start(authorizedKey) {
      const server = await startOpenSshServer({ authorizedKeys: [authorizedKey] });
      return testedProgram(server, /^Connection from /u, "AllowTcpForwarding no");
    },
  },
  {
    name: "Dropbear",
    isHere: hasDropbear,
    async start(authorizedKey) {
      const server = await startDropbearServer({ authorizedKeys: [authorizedKey] });
      return testedProgram(server, /Child connection from /u, "-j");
    },
  },
  {
    name: "asyncssh",
    isHere: hasAsyncssh,
    async start(authorizedKey) {
      const server = await startMisbehavingSshServer("normal", { authorizedKeys: [authorizedKey] });
      return {
        host: server.host,
        port: server.port,
        user: server.user,
        get knownHostsLine() {
          return server.knownHostsLine;
        },
        fingerprint: () => server.hostKeys[0]?.fingerprint ?? "",
        accepted: () => server.events.filter(({ event }) => event === "connection").length,
        refuseForwards: () => server.behave("refuse-forward"),
        async changeHostKey() {
          await server.changeHostKeys();
          await server.dropConnections();
        },
        dropConnections: () => server.dropConnections(),
        freeze: () => server.process.freeze(),
        thaw: () => server.process.thaw(),
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      };
    },
  },
];

/** Each engine with each server. */
export const combinations: readonly { kind: ServerKind; engine: Engine }[] = serverKinds.flatMap(
  (kind) => engines.map((engine) => ({ kind, engine })),
);

/** A server that is configured by starting it again. */
function testedProgram(server: SshServer, arrival: RegExp, noForwards: string): TestedServer {
  return {
    host: server.host,
    port: server.port,
    user: server.user,
    get knownHostsLine() {
      return server.knownHostsLine;
    },
    fingerprint: () => server.hostKeys[0]?.fingerprint ?? "",
    accepted: () => server.log.filter((line) => arrival.test(line)).length,
    refuseForwards: () => server.restart({ config: [noForwards] }),
    async changeHostKey() {
      const hostKey = await generateSshKey({ directory: server.directory });
      await server.restart({ hostKeys: [hostKey] });
    },
    dropConnections: () => server.killConnections(),
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
