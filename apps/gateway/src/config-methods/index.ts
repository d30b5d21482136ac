export { changeRecordPath } from "./change-record.ts";
export { configMethods } from "./config-methods.ts";
export { createPendingChange, type PendingChange } from "./pending-change.ts";
