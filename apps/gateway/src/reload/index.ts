export { type ConfigReloader, createConfigReloader, type GoodConfig } from "./config-reloader.ts";
export { planReload, type ReloadPlan } from "./plan-reload.ts";
