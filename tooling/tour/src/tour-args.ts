import { parseArgs } from "node:util";

/** What the tour was asked for. */
export interface TourArgs {
  /** Stop everything once the command has run. */
  once: boolean;
  /** The port to try first; another one is taken when it is not free. */
  port: number;
}

export type ParsedTourArgs =
  | { kind: "run"; args: TourArgs }
  | { kind: "help" }
  | { kind: "invalid"; message: string };

const DEFAULT_PORT = 18_789;

export const TOUR_USAGE = `Usage: npm start [-- --once] [--port <port>]

Starts a Gateway and a node on this machine, pairs them, runs a first command on the node, and says
what to try next. Everything it writes is below .cache/tour and goes with it.

  --once         stop everything after the first command
  --port <port>  try this port first (${DEFAULT_PORT})
`;

/** Reads the arguments of `npm start`. */
export function parseTourArgs(argv: readonly string[]): ParsedTourArgs {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        once: { type: "boolean", default: false },
        port: { type: "string", default: String(DEFAULT_PORT) },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return { kind: "help" };
    const port = Number(values.port);
    if (!/^\d+$/u.test(values.port) || port > 65_535) {
      return {
        kind: "invalid",
        message: `--port wants a number from 0 to 65535, not ${values.port}`,
      };
    }
    return { kind: "run", args: { once: values.once, port } };
  } catch (error) {
    return { kind: "invalid", message: error instanceof Error ? error.message : String(error) };
  }
}
