import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { startProcess, type TestProcess } from "@openclaw/testkit";

const execute = promisify(execFile);

/** A machine as far as the network is concerned: interfaces, addresses and ports of its own. */
export interface Machine extends AsyncDisposable {
  /** Words before a program that is to run there. */
  readonly within: readonly string[];
  /** Runs a program there; returns what it printed. */
  run(program: string, ...args: string[]): Promise<string>;
  /** Gives an interface addresses, each with its prefix length, and brings it up. */
  address(name: string, ...addresses: string[]): Promise<void>;
  /** Sends what is for a network to a neighbour, who may have an address in it. */
  route(network: string, neighbour: string): Promise<void>;
  /** Connects an interface of this machine with one of another, as a cable does. */
  cable(name: string, other: Machine, otherName: string): Promise<void>;
  /** The addresses that programs listen on at a TCP port, sorted. */
  listeners(port: number): Promise<string[]>;
  /** At which of the addresses an HTTP server answers somebody there, in the order given. */
  reaches(addresses: readonly string[], port: number): Promise<string[]>;
  readonly pid: number;
}

/** Why this machine can make no networks, or `undefined` where it can. */
export async function whyNoNamespaces(): Promise<string | undefined> {
  if (process.platform !== "linux") return "network namespaces are Linux's";
  if (process.getuid?.() !== 0) return "making network namespaces takes root";
  try {
    await execute("unshare", [
      "-n",
      "ip",
      "link",
      "add",
      "probe0",
      "type",
      "veth",
      "peer",
      "probe1",
    ]);
    return undefined;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === "ENOENT"
      ? "unshare is missing (apt install util-linux)"
      : `no network namespace with ip (apt install iproute2): ${(error as Error).message.trim()}`;
  }
}

/** Asks at each address, for a second; a refusal, a connection that is closed and silence count alike. */
const KNOCK = `
const { connect } = require("node:net");
const [port, ...hosts] = process.argv.slice(1);
const knock = (host) => new Promise((resolve) => {
  const socket = connect({ host, port: Number(port), timeout: 1000 });
  socket.write("GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n");
  const end = (isOpen) => { socket.destroy(); resolve(isOpen ? [host] : []); };
  socket.on("data", () => end(true));
  for (const event of ["error", "timeout", "close"]) socket.on(event, () => end(false));
});
Promise.all(hosts.map(knock)).then((open) => console.log(JSON.stringify(open.flat())));
`;

/** A machine with loopback and nothing else. It is gone when it is disposed of, or this process ends. */
export async function createMachine(): Promise<Machine> {
  const holder: TestProcess = startProcess("unshare", [
    "-n",
    "sh",
    "-c",
    "ip link set lo up && echo up && exec sleep infinity",
  ]);
  await holder.line("up");
  const { pid } = holder;
  const within = ["nsenter", "-t", String(pid), "-n", "--"];
  const run = async (program: string, ...args: string[]): Promise<string> => {
    const [first = "", ...words] = [...within, program, ...args];
    return (await execute(first, words)).stdout;
  };
  return {
    pid,
    within,
    run,
    async address(name, ...addresses) {
      await run("ip", "link", "set", name, "up");
      for (const address of addresses) {
        // Without nodad an IPv6 address cannot be used at once.
        const nodad = address.includes(":") ? ["nodad"] : [];
        // oxlint-disable-next-line no-await-in-loop -- the first address of an interface is its primary one
        await run("ip", "addr", "add", address, "dev", name, ...nodad);
      }
    },
    async route(network, neighbour) {
      await run("ip", "route", "add", network, "via", neighbour);
    },
    async cable(name, other, otherName) {
      const far = ["peer", "name", otherName, "netns", String(other.pid)];
      await run("ip", "link", "add", name, "type", "veth", ...far);
    },
    async listeners(port) {
      const lines = (await run("ss", "-Hltn", `sport = :${port}`)).trim().split("\n");
      return lines
        .filter((line) => line !== "")
        .map((line) => (line.split(/\s+/u)[3] ?? "").replace(/:\d+$/u, ""))
        .sort();
    },
    async reaches(addresses, port) {
      const words = ["-e", KNOCK, String(port), ...addresses];
      return JSON.parse(await run(process.execPath, ...words)) as string[];
    },
    [Symbol.asyncDispose]: () => holder[Symbol.asyncDispose](),
  };
}
