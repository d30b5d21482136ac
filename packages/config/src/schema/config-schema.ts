import {
  agentsSchema,
  approvalsSchema,
  authSchema,
  bindingsSchema,
  broadcastSchema,
  modelsSchema,
} from "./agents-schema.ts";
import { browserSchema } from "./browser-schema.ts";
import { open, section, text } from "./build-node.ts";
import { channelsSchema, webSchema } from "./channels-schema.ts";
import type { ValueOf } from "./config-node.ts";
import { gatewaySchema } from "./gateway-schema.ts";
import { withLaterKeys } from "./later-keys.ts";
import { commandsSchema, messagesSchema, sessionSchema } from "./session-schema.ts";
import {
  canvasHostSchema,
  cronSchema,
  diagnosticsSchema,
  discoverySchema,
  envSchema,
  hooksSchema,
  loggingSchema,
  metaSchema,
  nodeHostSchema,
  pluginsSchema,
  skillsSchema,
  talkSchema,
  uiSchema,
  updateSchema,
  wizardSchema,
} from "./small-schemas.ts";
import { toolsSchema } from "./tools-schema.ts";

const ownSchema = section(
  "The configuration of OpenClaw.",
  {
    $schema: text("Where an editor finds the JSON Schema of this file.", { reload: "none" }),
    gateway: gatewaySchema,
    discovery: discoverySchema,
    canvasHost: canvasHostSchema,
    nodeHost: nodeHostSchema,
    browser: browserSchema,
    tools: toolsSchema,
    agents: agentsSchema,
    models: modelsSchema,
    auth: authSchema,
    session: sessionSchema,
    channels: channelsSchema,
    web: webSchema,
    talk: talkSchema,
    logging: loggingSchema,
    commands: commandsSchema,
    hooks: hooksSchema,
    cron: cronSchema,
    messages: messagesSchema,
    bindings: bindingsSchema,
    broadcast: broadcastSchema,
    approvals: approvalsSchema,
    update: updateSchema,
    ui: uiSchema,
    wizard: wizardSchema,
    meta: metaSchema,
    diagnostics: diagnosticsSchema,
    plugins: pluginsSchema,
    skills: skillsSchema,
    env: envSchema,
    media: open("What becomes of media."),
    audio: open("What becomes of sound.", { reload: "none" }),
  },
  { reload: "restart" },
);

/**
 * A config file: the one description from which its checks, types, defaults, JSON Schema and reference
 * page are all made.
 */
export const configSchema = withLaterKeys(ownSchema);

/** A validated config. */
export type OpenClawConfig = ValueOf<typeof configSchema>;
