export { configProblems } from "./config-problems.ts";
export { runDaemonProgram } from "./daemon-program.ts";
export { hasCode, messageOf } from "./failures.ts";
export { asObject, isObject } from "./json-object.ts";
export { createLogger, logLevelFrom } from "./logger.ts";
export { prepareEnvironment } from "./prepare-environment.ts";
export { writePrivateFile } from "./private-file.ts";
export { processIo } from "./program-io.ts";
export { findRunToken, readRunToken, runTokenPath, writeRunToken } from "./run-token.ts";
export { safeText } from "./safe-text.ts";
export { closeInTime, listenForStop } from "./stop-request.ts";
export { portOf } from "./url-port.ts";

/** Loads what opens SSH connections: large, and needed by few runs. */
export const loadSshWay = (): Promise<typeof import("./way/ssh-way.ts")> =>
  import("./way/ssh-way.ts");

export type { DaemonFlags, DaemonOptions, DaemonProgram } from "./daemon-program.ts";
export type { Logger, LoggerOptions, LogLevel } from "./logger.ts";
export type { PreparedEnvironment } from "./prepare-environment.ts";
export type { ProgramIo, StopSignal } from "./program-io.ts";
export type { RunToken } from "./run-token.ts";
export type { CloseInTimeOptions, StopRequest } from "./stop-request.ts";
export type { TextSink } from "./text-sink.ts";
export type { Way, WayForClient, WayOptions } from "./way/ssh-way.ts";
