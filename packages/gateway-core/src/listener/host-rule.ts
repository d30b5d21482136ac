import { isIP } from "node:net";
import { GatewayStartError } from "../errors.ts";
import { isLoopback } from "./address-list.ts";

/** The names under which pages may ask for this Gateway. */
export interface HostRule {
  allows(host: string | undefined): boolean;
}

/**
 * A page of another site whose name was made to resolve to this machine still sends that name as
 * `Host`. So an address is fine, since no name can be turned into one, and so is `localhost`; any
 * other name has to be listed. A name with a leading dot stands for all names below it.
 *
 * @throws {GatewayStartError} `OPTIONS_INVALID`, naming the entry
 */
export function createHostRule(names: readonly string[]): HostRule {
  const exact = new Set<string>();
  const suffixes: string[] = [];
  for (const [index, entry] of names.entries()) {
    const name = typeof entry === "string" ? entry.trim().toLowerCase().replace(/\.$/, "") : "";
    if (!/^\.?[\p{L}\p{N}_]([\p{L}\p{N}_.-]*[\p{L}\p{N}_])?$/u.test(name)) {
      throw new GatewayStartError(
        "OPTIONS_INVALID",
        `allowedHosts[${index}] is ${JSON.stringify(entry)}: not a host name`,
        {
          hint: "Write a name without scheme and port, such as box.example, or .example for all below.",
        },
      );
    }
    if (name.startsWith(".")) suffixes.push(name);
    else exact.add(name);
  }
  return {
    allows(host) {
      const name = hostName(host);
      if (name === undefined) return false;
      if (isIP(name) !== 0 || name === "localhost" || exact.has(name)) return true;
      return suffixes.some((suffix) => name.endsWith(suffix) && name.length > suffix.length);
    },
  };
}

/** The name in a `Host` header, in lower case, without port and brackets; undefined when there is none. */
export function hostName(host: string | undefined): string | undefined {
  const match = /^(?:\[([\da-f:.]+)\]|([^\s:/@[\]]+))(?::\d{0,5})?$/.exec(
    (host ?? "").trim().toLowerCase(),
  );
  const name = match?.[1] ?? match?.[2]?.replace(/\.$/, "");
  return name === undefined || name === "" ? undefined : name;
}

/** Whether a client asked for this machine by a name that only this machine can have. */
export function isLoopbackHost(host: string | undefined): boolean {
  const name = hostName(host);
  return name === "localhost" || isLoopback(name);
}
