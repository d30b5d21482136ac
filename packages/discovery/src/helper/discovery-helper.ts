import { networkInterfaces } from "node:os";
import process from "node:process";
import { Bonjour, type Service } from "bonjour-service";
import { type GatewayFacts, SERVICE_NAME, serviceRecord } from "../service-record.ts";
import type { HelperReport, HelperTask, NetworkOptions } from "./messages.ts";

/**
 * A process of its own for everything that reads packets of strangers. It is told what to do over
 * the channel to its parent, knows no secret, and ends when the channel does.
 */

/** What `bonjour-service` keeps to itself of the socket below it, and what is needed of that. */
interface MulticastSocket {
  on(event: "response", listener: (packet: Packet) => void): void;
  on(event: "error" | "warning", listener: (error: Error) => void): void;
  off(event: "response", listener: (packet: Packet) => void): void;
  query(questions: readonly { name: string; type: string }[]): void;
  respond(records: object): void;
  emit(event: string, ...args: unknown[]): boolean;
}

interface Packet {
  readonly answers: readonly PacketRecord[];
  readonly additionals: readonly PacketRecord[];
}

interface PacketRecord {
  readonly name: string;
  readonly type: string;
  readonly data: unknown;
}

interface Speaker {
  readonly bonjour: Bonjour;
  readonly socket: MulticastSocket;
}

/** Names of which more than this many are taken are not searched any further. */
const MAX_NAMES = 20;
/** Instances that are reported; more are no network but an attack. */
const MAX_SEEN = 200;
/** How long others have to say that a host name is theirs. */
const HOST_PROBE_MS = 600;
const QUERY_AGAIN_MS = 500;
const LEAST_ANNOUNCE_PAUSE_MS = 30_000;

/** Ends what the present task has begun. */
let withdraw: () => Promise<void> = () => Promise.resolve();
let check: () => void = () => {};

process.on("message", (task: HelperTask) => {
  if (task.kind === "announce") void announce(task.facts, task.network);
  else if (task.kind === "browse") browse(task.network);
  else if (task.kind === "check") {
    check();
    report({ kind: "checked" });
  } else void withdraw().finally(() => process.exit(0));
});
process.on("disconnect", () => process.exit(0));
// A terminal sends Ctrl-C to the whole group; the parent says when there is an end, with a goodbye.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});

async function announce(facts: GatewayFacts, network: NetworkOptions): Promise<void> {
  const { bonjour, socket } = speak(network);
  const hosts = await countTakenHosts(facts, socket);
  let service: Service | undefined;
  let announcedAt = 0;
  let addresses = addressText();

  const publish = (names: number): void => {
    const record = serviceRecord(facts, { names, hosts });
    const published = bonjour.publish({ ...record, type: SERVICE_NAME, txt: { ...record.txt } });
    onlyTheseAddresses(published, facts.addresses);
    const stop = published.stop;
    // What the library does when a name is taken is to say goodbye in the name of its owner.
    published.stop = () => {
      published.activated = false;
      report({ kind: "conflict", name: record.name });
      if (names + 1 < MAX_NAMES) publish(names + 1);
      else report({ kind: "problem", message: `${MAX_NAMES} names are taken` });
    };
    published.once("up", () => {
      published.stop = stop;
      announcedAt = Date.now();
      service = published;
      report({ kind: "announced", name: record.name, host: record.host });
    });
  };
  publish(0);

  check = () => {
    const now = addressText();
    if (service === undefined || now === addresses) return;
    if (Date.now() - announcedAt < LEAST_ANNOUNCE_PAUSE_MS) return;
    addresses = now;
    announcedAt = Date.now();
    socket.respond(service.records());
  };
  withdraw = async () => {
    const published = service;
    if (published === undefined) return;
    // oxlint-disable-next-line typescript/no-unsafe-call -- the library types it as any function
    await new Promise<void>((resolve) => void published.stop(() => resolve()));
  };
}

function browse(network: NetworkOptions): void {
  const { bonjour } = speak(network);
  let seen = 0;
  const tell = ({ name, host, port, addresses = [], txt }: Service): void => {
    if ((seen += 1) > MAX_SEEN) return;
    // Copied by the channel as JSON; the parent checks the rest.
    const texts = (txt ?? {}) as Record<string, string>;
    report({ kind: "seen", service: { name, host, port, addresses, txt: texts } });
  };
  const browser = bonjour.find({ type: SERVICE_NAME });
  browser.on("up", tell);
  browser.on("srv-update", tell);
  browser.on("txt-update", tell);
  report({ kind: "browsing" });
  // Packets get lost, and a Gateway may still be looking for its name.
  setInterval(() => browser.update(), QUERY_AGAIN_MS);
}

function speak({ port, interface: address }: NetworkOptions): Speaker {
  const options = {
    ...(port === undefined ? {} : { port }),
    // Bound to the address itself, the socket would hear no multicast.
    ...(address === undefined ? {} : { interface: address, bind: "0.0.0.0" }),
  };
  const bonjour = new Bonjour(options, (error: unknown) => problem(error));
  // The library offers no other way to the socket it opens.
  const { mdns: socket } = (bonjour as unknown as { server: { mdns: MulticastSocket } }).server;
  socket.on("warning", problem);
  // A socket that cannot be had: the parent tries again later.
  socket.on("error", (error) => fail(error));
  guardPackets(socket);
  return { bonjour, socket };
}

/** A packet that trips up the library is dropped; all packets come in through `emit`. */
function guardPackets(socket: MulticastSocket): void {
  const emit = socket.emit.bind(socket);
  socket.emit = (event, ...args) => {
    if (event !== "packet" && event !== "query" && event !== "response") {
      return emit(event, ...args);
    }
    try {
      return emit(event, ...args);
    } catch (error) {
      problem(error);
      return true;
    }
  };
}

/** How many of the host's names belong to other machines: those that answer with other addresses. */
async function countTakenHosts(facts: GatewayFacts, socket: MulticastSocket): Promise<number> {
  const own = new Set(ownAddresses());
  for (let hosts = 0; hosts < MAX_NAMES; hosts += 1) {
    const { host } = serviceRecord(facts, { names: 0, hosts });
    // One name after the other: the next matters only when this one is taken.
    // oxlint-disable-next-line no-await-in-loop
    if (!(await isTaken(host, own, socket))) return hosts;
    report({ kind: "conflict", name: host });
  }
  return 0;
}

async function isTaken(
  host: string,
  own: ReadonlySet<string>,
  socket: MulticastSocket,
): Promise<boolean> {
  let taken = false;
  const listen = ({ answers, additionals }: Packet): void => {
    taken ||= [...answers, ...additionals].some(
      ({ name, type, data }) =>
        (type === "A" || type === "AAAA") &&
        name.toLowerCase() === host.toLowerCase() &&
        typeof data === "string" &&
        !own.has(data),
    );
  };
  socket.on("response", listen);
  const ask = (): void =>
    socket.query([
      { name: host, type: "A" },
      { name: host, type: "AAAA" },
    ]);
  ask();
  const again = setTimeout(ask, HOST_PROBE_MS / 2);
  await new Promise((resolve) => setTimeout(resolve, HOST_PROBE_MS));
  clearTimeout(again);
  socket.off("response", listen);
  return taken;
}

function onlyTheseAddresses(service: Service, addresses: readonly string[] | undefined): void {
  if (addresses === undefined) return;
  const records = service.records.bind(service);
  service.records = () =>
    records().filter(({ type, data }) =>
      type === "A" || type === "AAAA" ? addresses.includes(String(data)) : true,
    );
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).map(({ address }) => address),
  );
}

function addressText(): string {
  return ownAddresses().toSorted().join(" ");
}

function report(message: HelperReport): void {
  // A parent that is gone needs no report, and `disconnect` ends this process.
  if (process.connected) process.send?.(message, () => {});
}

let lastProblem = "";

/** Told once a kind: the same packet may come a thousand times. */
function problem(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  if (message === lastProblem) return;
  lastProblem = message;
  report({ kind: "problem", message: message.slice(0, 500) });
}

function fail(error: Error): void {
  problem(error);
  process.exitCode = 1;
  // Lets the report out first.
  setImmediate(() => process.exit(1));
}
