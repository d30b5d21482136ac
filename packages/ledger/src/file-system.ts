import * as nodeFs from "node:fs";

/** The calls that the journal makes; tests replace some of them to make a disk fail. */
export type LedgerFileSystem = Pick<
  typeof nodeFs,
  | "openSync"
  | "closeSync"
  | "writeSync"
  | "readSync"
  | "readFileSync"
  | "readdirSync"
  | "mkdirSync"
  | "ftruncateSync"
  | "fdatasync"
  | "fsync"
  | "unlinkSync"
>;

/** The real file system. */
export const realFileSystem: LedgerFileSystem = nodeFs;
