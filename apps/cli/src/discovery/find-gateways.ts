import { type Beacon, browse, networkFromEnv } from "@openclaw/discovery";
import type { CommandContext } from "../program/command-context.ts";

/** What was found on the local network, and what was in the way of finding more. */
export interface Found {
  readonly beacons: readonly Beacon[];
  readonly problems: readonly string[];
}

/** Listens on the local network; Ctrl-C ends it early. */
export async function findGateways(
  { io, env }: Pick<CommandContext, "io" | "env">,
  timeoutMs: number,
): Promise<Found> {
  const problems: string[] = [];
  const stop = new AbortController();
  const offSignal = io.onSignal(() => stop.abort());
  try {
    const beacons = await browse({
      timeoutMs,
      network: networkFromEnv(env),
      onProblem: (problem) => void problems.push(problem),
      signal: stop.signal,
    });
    return { beacons, problems: [...new Set(problems)] };
  } finally {
    offSignal();
  }
}
