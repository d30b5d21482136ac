import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { isLoopbackHost } from "@openclaw/config";
import { StepFailure, type Taken } from "../../remote/walk.ts";
import { type Carrier, errnoOf, networkCarrier } from "./carrier.ts";
import { fault } from "./faults.ts";
import { platformCommands } from "./platform-commands.ts";
import { goTo, type Trail } from "./trail.ts";

const NAME_SHARE_MS = 1_500;
const ROUTE_SHARE_MS = 1_500;

/** The addresses of a name. @throws {StepFailure} `NAME_NOT_RESOLVED` */
export async function resolveHost(trail: Trail, host: string): Promise<Taken<readonly string[]>> {
  if (isIP(host) !== 0) return { value: [host], detail: `${host} is an address` };
  try {
    const found = await resolveInTime(trail, lookup(host, { all: true }));
    const addresses = [...new Set(found.map(({ address }) => address))];
    return { value: addresses, detail: `${host} is ${addresses.slice(0, 3).join(", ")}` };
  } catch (cause) {
    const isTailnetName = host.endsWith(".ts.net");
    throw fault("NAME_NOT_RESOLVED", `the name ${host} has no address.`, {
      at: "name",
      evidence: { name: host, errno: errnoOf(cause instanceof StepFailure ? cause.cause : cause) },
      fix: isTailnetName ? "tailscale up" : goTo(trail, "<target>"),
      hint: isTailnetName
        ? "Names of a tailnet resolve only while Tailscale runs here."
        : "Check the spelling, the network and, if there is one, the VPN.",
      cause,
    });
  }
}

/** Gives a look-up up that takes too long, which the system cannot be told. @throws what it throws; `ETIMEDOUT` */
export async function resolveInTime<T>(trail: Trail, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    trail.leaveBehind();
    late.reject(
      new StepFailure("the name servers do not answer.", {
        code: "NAME_NOT_RESOLVED",
        hint: "Check the network and its name servers.",
        cause: Object.assign(new Error("no answer"), { code: "ETIMEDOUT" }),
      }),
    );
  }, trail.budget.step(NAME_SHARE_MS));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether somebody accepts connections there. @throws {StepFailure} of the step `route` */
export async function reachRoute(
  trail: Trail,
  carrier: Carrier,
  addresses: readonly string[],
): Promise<Taken<undefined>> {
  const { host, port } = carrier;
  const timeoutMs = trail.budget.step(ROUTE_SHARE_MS);
  try {
    const stream = await carrier.open({ timeoutMs, signal: trail.interruption.signal });
    stream.destroy();
    return { value: undefined, detail: `${host}:${port}` };
  } catch (cause) {
    trail.interruption.signal.throwIfAborted();
    // Somebody took it, and thought better of it: the step that speaks to him tells.
    if (errnoOf(cause) === "ECONNRESET") return { value: undefined, detail: `${host}:${port}` };
    throw await explainUnreachable(trail, { carrier, addresses, timeoutMs, cause });
  }
}

interface Unreachable {
  readonly carrier: Carrier;
  readonly addresses: readonly string[];
  readonly timeoutMs: number;
  readonly cause: unknown;
}

async function explainUnreachable(trail: Trail, what: Unreachable): Promise<Error> {
  const { carrier, timeoutMs, cause } = what;
  const { host, port } = carrier;
  const errno = errnoOf(cause);
  const at = "route" as const;
  if (errno === "ECONNREFUSED") {
    const { explainRefused } = await import("./explain-refused.ts");
    return explainRefused(trail, what);
  }
  if (errno === "ETIMEDOUT") {
    return fault("NO_ANSWER", `${host}:${port} does not answer.`, {
      at,
      evidence: { errno, waitedMs: timeoutMs, addresses: what.addresses },
      fix: `ping ${host}`,
      hint: "The machine is off, or a firewall on the way drops what is sent. Behind SSH the Gateway needs no open port: me@box instead of the URL.",
      cause,
    });
  }
  return fault("HOST_UNREACHABLE", `there is no way to ${host}:${port}.`, {
    at,
    evidence: { errno, addresses: what.addresses },
    fix: platformCommands().showRoute(what.addresses[0] ?? host),
    hint: "This machine has no route there: check the network and, if there is one, the VPN.",
    cause,
  });
}

/** Whether something accepts connections on a port of loopback. */
export async function answersOnLoopback(trail: Trail, port: number): Promise<boolean> {
  try {
    const stream = await networkCarrier("127.0.0.1", port).open({
      timeoutMs: trail.budget.explain(500),
      signal: trail.interruption.signal,
    });
    stream.destroy();
    return true;
  } catch {
    return false;
  }
}

/** Whether a host is this machine by its loopback. */
export function isLoopback(host: string, addresses: readonly string[]): boolean {
  return isLoopbackHost(host) || addresses.some((address) => isLoopbackHost(address));
}
