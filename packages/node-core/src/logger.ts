import type { Logger } from "@openclaw/client";

const drop = (): void => {};

/** Drops everything. */
export const silentLogger: Logger = { debug: drop, info: drop, warn: drop, error: drop };
