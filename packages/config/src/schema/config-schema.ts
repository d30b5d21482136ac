import { z } from "zod";
import { gatewaySchema, ledgerSchema } from "./gateway-schema.ts";
import { flag, int, oneOf, openSection, section, text, texts } from "./leaves.ts";

const logLevel = () => oneOf(["silent", "fatal", "error", "warn", "info", "debug", "trace"]);

/**
 * A config file. `gateway`, `nodeHost`, `logging` and `discovery` are checked key by key; sections
 * that this program does not read yet are accepted as they are, so that a file which works with
 * another release is not refused.
 */
export const configSchema = section({
  $schema: text().optional(),
  gateway: gatewaySchema.optional(),
  nodeHost: section({
    browserProxy: section({
      enabled: flag().optional(),
      allowProfiles: texts().optional(),
    }).optional(),
    autoUpdate: z.unknown().optional(),
    mcp: openSection().optional(),
    skills: openSection().optional(),
    ledger: ledgerSchema.optional(),
  }).optional(),
  logging: section({
    level: logLevel().optional(),
    file: text().optional(),
    consoleLevel: logLevel().optional(),
    consoleStyle: oneOf(["pretty", "compact", "json"]).optional(),
    redactSensitive: oneOf(["off", "tools"]).optional(),
    redactPatterns: texts().optional(),
  }).optional(),
  discovery: section({
    mdns: section({ mode: oneOf(["off", "minimal", "full"]).optional() }).optional(),
    wideArea: section({ enabled: flag().optional(), domain: text().optional() }).optional(),
  }).optional(),
  canvasHost: section({
    enabled: flag().optional(),
    root: text().optional(),
    port: int(1, 65_535).optional(),
    liveReload: flag().optional(),
  }).optional(),
  env: openSection().optional(),
  bindings: z.array(z.unknown(), "a list").optional(),
  agents: openSection().optional(),
  approvals: openSection().optional(),
  audio: openSection().optional(),
  auth: openSection().optional(),
  broadcast: openSection().optional(),
  browser: openSection().optional(),
  channels: openSection().optional(),
  commands: openSection().optional(),
  cron: openSection().optional(),
  diagnostics: openSection().optional(),
  hooks: openSection().optional(),
  media: openSection().optional(),
  messages: openSection().optional(),
  meta: openSection().optional(),
  models: openSection().optional(),
  plugins: openSection().optional(),
  session: openSection().optional(),
  skills: openSection().optional(),
  talk: openSection().optional(),
  tools: openSection().optional(),
  ui: openSection().optional(),
  update: openSection().optional(),
  web: openSection().optional(),
  wizard: openSection().optional(),
});

/** A validated config. */
export type OpenClawConfig = z.output<typeof configSchema>;
