import { isIPv6 } from "node:net";
import { TunnelError } from "../errors.ts";
import { parseSshTarget, type SshTarget } from "../target.ts";
import { invalidConfig, type Place } from "./ssh-complaints.ts";

/**
 * Reads the value of `ProxyJump`: `[user@]host[:port]` or `ssh://…`, with commas, the first hop first.
 *
 * @throws {@link TunnelError} `INVALID_SSH_CONFIG`
 */
export function parseJumpHosts(value: string, place: Place = {}): readonly SshTarget[] {
  return value.split(",").map((text) => {
    try {
      const { user, host, port, remotePort } = parseSshTarget(withoutNeedlessBrackets(text));
      if (remotePort !== undefined) throw invalidConfig(`ProxyJump "${text}" has a path`, place);
      return {
        host,
        ...(user === undefined ? {} : { user }),
        ...(port === undefined ? {} : { port }),
      };
    } catch (error) {
      if (!(error instanceof TunnelError) || error.code !== "INVALID_TARGET") throw error;
      throw invalidConfig(`ProxyJump: ${error.message}`, place, { cause: error });
    }
  });
}

/** The chain as `ssh -J` takes it. */
export function formatJumpHosts(hops: readonly SshTarget[]): string {
  return hops
    .map(({ user, host, port }) => {
      const name = isIPv6(host) ? `[${host}]` : host;
      return `${user === undefined ? "" : `${user}@`}${name}${port === undefined ? "" : `:${port}`}`;
    })
    .join(",");
}

/** `ssh -G` also puts an IPv4 address in brackets. */
function withoutNeedlessBrackets(text: string): string {
  return text.replace(/\[([^\]:]+)\]/u, "$1");
}
