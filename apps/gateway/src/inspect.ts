// What a Gateway leaves on the disk, for programs that diagnose it. Loads nothing that runs one.
export { changeRecordPath, readChangeRecord } from "./config-methods/change-record.ts";
export { exposureRecordPath } from "./exposure-record-path.ts";
export { instancePath } from "./instance-file.ts";
export { findNeighbours, neighbourWarnings } from "./lock/neighbours.ts";

export type { Neighbour } from "./lock/neighbours.ts";
