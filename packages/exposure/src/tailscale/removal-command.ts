import {
  isEmptyTable,
  mountCount,
  type Route,
  SERVE_MOUNT,
  SERVE_PORT,
  type ServeTable,
  withoutRoute,
} from "./serve-table.ts";
import { isObject } from "./json-in-noise.ts";

/** How our route is taken off. */
export interface RemovalCommand {
  /** The narrowest command that takes it off and nothing else. */
  readonly narrow: readonly string[] | undefined;
  /** What does it where the narrow one is not known, or finds nothing; only when all that is served is ours. */
  readonly reset: readonly string[] | undefined;
}

/** `table` has the route. */
export function removalCommand(table: ServeTable, route: Route): RemovalCommand {
  const rest = withoutRoute(table, route);
  const isAlone = isEmptyTable(rest);
  const isSharedMount = mountCount(table, route.host) > 1;
  // The tool gives the port up with the last mount of a name, whether another name uses it or not.
  const wouldBreakOther = !isSharedMount && hasPort(rest);
  const flag = `--https=${SERVE_PORT}`;
  return {
    narrow: wouldBreakOther
      ? undefined
      : isSharedMount
        ? ["serve", flag, `--set-path=${SERVE_MOUNT}`, "off"]
        : ["serve", flag, "off"],
    reset: isAlone ? ["serve", "reset"] : undefined,
  };
}

function hasPort(table: ServeTable): boolean {
  const ports = table["TCP"];
  return isObject(ports) && String(SERVE_PORT) in ports;
}
