import type { ParsedService, Supervisor } from "../definition/parsed-service.ts";
import type { ServiceDefinition } from "../definition/service-definition.ts";
import type { ServiceNames } from "../definition/service-names.ts";
import type { CommandRunner } from "./command-runner.ts";
import type { ServiceRuntime } from "./service-status.ts";

/** The machine, as the managers see it. */
export interface Machine {
  readonly home: string;
  readonly uid: number;
  readonly user: string;
  /** The state directory of the profile; Windows keeps its scripts there. */
  readonly stateDir: string;
  readonly run: CommandRunner;
  /** Waits; replaced in tests. */
  readonly sleep: (ms: number) => Promise<void>;
  /** In front of the system's own folders. @default "" */
  readonly systemRoot: string;
}

export interface StopOptions {
  /** Also keeps it from starting at the next login. @default false */
  readonly disable?: boolean | undefined;
}

/** One system's way to keep a service running. Everything throws {@link ServiceError}. */
export interface SupervisorDriver {
  readonly supervisor: Supervisor;
  readonly loadedText: string;
  readonly notLoadedText: string;
  /** Where definitions of this user live. */
  readonly directory: string;
  label(names: ServiceNames): string;
  definitionPath(names: ServiceNames): string;
  /** The whole text of a definition. */
  render(definition: ServiceDefinition): string;
  parse(content: Uint8Array, path: string): Promise<ParsedService>;
  /** Refuses where the supervisor cannot be reached, before anything is written. */
  assertAvailable(): Promise<void>;
  isLoaded(names: ServiceNames): Promise<boolean>;
  /** Takes a written definition in, and starts it; also when an earlier one runs. */
  activate(names: ServiceNames, definition: ServiceDefinition): Promise<void>;
  /** Stops it and forgets it; the definition is still there. */
  deactivate(names: ServiceNames): Promise<void>;
  /** Called when the definition is gone. */
  forget(names: ServiceNames): Promise<void>;
  start(names: ServiceNames): Promise<void>;
  stop(names: ServiceNames, options: StopOptions): Promise<void>;
  restart(names: ServiceNames): Promise<void>;
  runtime(names: ServiceNames): Promise<ServiceRuntime>;
  /** What could keep a service from running that is otherwise well. */
  warnings(options: { enableLinger: boolean }): Promise<string[]>;
}

/** For short questions. */
export const QUERY_TIMEOUT_MS = 10_000;
/** For what may wait for a service to end; longer than any service may take. */
export const ACTION_TIMEOUT_MS = 360_000;
