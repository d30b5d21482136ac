export { changeRecordPath } from "./change-record.ts";
export { type ChangeEffect, configMethods, type ConfigMethodsOptions } from "./config-methods.ts";
export { createPendingChange, type PendingChange } from "./pending-change.ts";
