import type { EngineInfo } from "./engines/engine.ts";
import type { TunnelError } from "./errors.ts";

/**
 * Where a tunnel stands. Points in time are epoch milliseconds. `generation` counts the connections:
 * what belongs to an earlier one is dropped.
 */
export type TunnelState =
  | { readonly kind: "connecting"; readonly attempt: number; readonly generation: number }
  | {
      readonly kind: "open";
      readonly since: number;
      readonly generation: number;
      readonly engine: EngineInfo;
    }
  | {
      readonly kind: "waiting";
      readonly attempt: number;
      readonly generation: number;
      readonly retryAt: number;
      readonly cause: TunnelError;
    }
  | { readonly kind: "draining"; readonly deadline: number }
  /** Without a cause after `close()`. */
  | { readonly kind: "closed"; readonly cause: TunnelError | undefined };
