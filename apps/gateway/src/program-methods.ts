import type { Method } from "@openclaw/gateway-core";
import { configMethods } from "./config-methods/index.ts";
import { logMethods } from "./logs/log-methods.ts";
import { logLocation } from "./logs/log-location.ts";

/** What the program adds to a Gateway's own methods, for the documentation of all. */
export function documentedProgramMethods(): Omit<Method, "handler">[] {
  // Described only: no handler of these is ever called.
  const nowhere = "/nonexistent";
  const paths = { stateDir: nowhere, home: nowhere };
  return [
    ...configMethods({ configPath: nowhere, env: {}, version: "", broadcast: () => {} }),
    ...logMethods(logLocation({ config: {}, env: {}, paths })),
  ];
}
