export { type LogLocation, logLocation } from "./log-location.ts";
export { tailLog } from "./tail-log.ts";
