import type { SectionRule } from "./config-node.ts";
import {
  anyText,
  checked,
  either,
  flag,
  integer,
  list,
  mapOf,
  matching,
  oneOf,
  open,
  openSection,
  path,
  port,
  secret,
  section,
  text,
  texts,
} from "./build-node.ts";
import { ledgerSchema } from "./gateway-schema.ts";

const level = (summary: string) =>
  oneOf(["silent", "fatal", "error", "warn", "info", "debug", "trace"], summary, {
    default: "info",
  });

/** The `logging` section. */
export const loggingSchema = section(
  "What is written to the log.",
  {
    level: level("From which level on, in the file."),
    file: path("The file.", { defaultText: "`openclaw-YYYY-MM-DD.log` in `/tmp/openclaw`" }),
    consoleLevel: level("From which level on, on the terminal."),
    consoleStyle: oneOf(["pretty", "compact", "json"], "How, on the terminal.", {
      default: "pretty",
    }),
    redactSensitive: oneOf(
      ["off", "tools"],
      "Whether secrets in the use of tools are blacked out.",
      {
        default: "tools",
      },
    ),
    redactPatterns: texts("Patterns of what else is."),
  },
  { reload: "none" },
);

/** The `discovery` section. */
export const discoverySchema = section(
  "How the Gateway is found.",
  {
    mdns: section("On the local network.", {
      mode: oneOf(["off", "minimal", "full"], "What is told; `full` adds SSH port and CLI path.", {
        default: "minimal",
      }),
    }),
    wideArea: section("Through DNS.", {
      enabled: flag("Writes a zone.", { default: false }),
      domain: text("Its domain.", { defaultText: "`OPENCLAW_WIDE_AREA_DOMAIN`" }),
    }),
  },
  { reload: "restart" },
);

/** The `canvasHost` section. */
export const canvasHostSchema = section(
  "Files for the canvases of nodes.",
  {
    enabled: flag("Serves them.", { default: true }),
    root: path("Their folder.", { defaultText: "`canvas` in the workspace" }),
    port: port("Port.", { defaultText: "four above that of the Gateway" }),
    liveReload: flag("Shows a changed file at once.", { default: true }),
  },
  { reload: "restart" },
);

/** The `nodeHost` section. */
export const nodeHostSchema = section("The node that runs on this machine.", {
  browserProxy: section("Its browser.", {
    enabled: flag("Lends it.", { default: true }),
    allowProfiles: texts("Profiles that are lent; none is all.", {
      default: [],
      isRestriction: true,
    }),
  }),
  autoUpdate: either(
    [flag("On or off."), open("How.")],
    "true, false or an object",
    "Keeps the node up to date.",
  ),
  mcp: open("Servers of tools that the node brings along."),
  skills: open("Skills that the node brings along."),
  ledger: ledgerSchema,
});

/** The `env` section. */
export const envSchema = openSection(
  "Variables for the Gateway, where they have no value yet.",
  {
    vars: mapOf(anyText("Value.", { isSecret: true }), "Variables, by name."),
    shellEnv: section("Keys from the profile of the login shell.", {
      enabled: flag("Runs the shell once when one of the known keys is missing.", {
        default: false,
      }),
      timeoutMs: integer(0, "How long the shell may take.", { default: 15_000, unit: "ms" }),
    }),
  },
  anyText("Value of a variable.", { isSecret: true }),
);

const enabledNeedsToken: SectionRule = {
  summary: "`enabled` needs a `token`.",
  problems: ({ enabled, token }) =>
    enabled === true && token === undefined
      ? [{ path: ["token"], allowed: "a secret, since enabled is true" }]
      : [],
};

/** The `hooks` section. */
export const hooksSchema = section(
  "HTTP calls that wake an agent.",
  {
    enabled: flag("Answers them.", { default: false }),
    path: checked(
      (value) => /^\/?[^/?#\s]/u.test(value),
      "a path below the root, such as /hooks",
      "Path below which they are answered.",
      { default: "/hooks" },
    ),
    token: secret("What a caller proves itself with; not that of the Gateway."),
    maxBodyBytes: integer(1, "Largest call.", { unit: "bytes" }),
    presets: texts("Sets of mappings that are known by name."),
    transformsDir: path("Folder of scripts that change calls."),
    mappings: list(open("One mapping."), "What a call turns into."),
    gmail: open("News from Gmail."),
    internal: open("Hooks within the program."),
  },
  { reload: "hot", rules: [enabledNeedsToken] },
);

/** The `cron` section. */
export const cronSchema = section(
  "Work at set times.",
  {
    enabled: flag("Does it.", { default: true }),
    store: path("File of the jobs.", { defaultText: "`cron/jobs.json` in the state directory" }),
    maxConcurrentRuns: integer(1, "Jobs at the same time."),
  },
  { reload: "hot" },
);

/** The `talk` section. */
export const talkSchema = section(
  "Spoken conversation.",
  {
    voiceId: text("Voice."),
    voiceAliases: mapOf(text("Id of the voice."), "Names for voices."),
    modelId: text("Model of the speech."),
    outputFormat: text("Format of the sound."),
    apiKey: secret("Key of the provider.", { defaultText: "`ELEVENLABS_API_KEY`" }),
    interruptOnSpeech: flag("Falls silent when the user speaks.", { default: true }),
  },
  { reload: "none" },
);

/** The `update` section. */
export const updateSchema = section("New versions.", {
  channel: oneOf(["stable", "beta", "dev"], "Which are offered.", { default: "stable" }),
  checkOnStart: flag("Looks for them when the Gateway starts.", { default: true }),
});

/** The `ui` section. */
export const uiSchema = section(
  "How apps look.",
  {
    seamColor: matching(/^#?[0-9A-Fa-f]{6}$/u, "a colour such as #FF4500", "Colour of the seam."),
    assistant: section("The assistant.", {
      name: text("Name."),
      avatar: text("Picture."),
    }),
  },
  { reload: "none" },
);

/** The `wizard` section. */
export const wizardSchema = section(
  "The last set-up, written by the program.",
  {
    lastRunAt: text("When."),
    lastRunVersion: text("With which version."),
    lastRunCommit: text("Of which commit."),
    lastRunCommand: text("By which command."),
    lastRunMode: oneOf(["local", "remote"], "For which mode."),
  },
  { reload: "none" },
);

/** The `meta` section. */
export const metaSchema = section(
  "The last change, written by the program.",
  {
    lastTouchedVersion: text("By which version."),
    lastTouchedAt: text("When."),
  },
  { reload: "none" },
);

/** The `diagnostics` section. */
export const diagnosticsSchema = section("What helps to find faults.", {
  enabled: flag("Gathers it.", { default: false }),
  flags: texts("Parts that tell more.", { default: [] }),
  otel: open("OpenTelemetry."),
  cacheTrace: open("A trace of the cache."),
});

/** The `plugins` section. */
export const pluginsSchema = section(
  "Extensions.",
  {
    enabled: flag("Loads them.", { default: true }),
    allow: texts("Those that may be loaded.", {
      defaultText: "every one that is installed",
      isRestriction: true,
    }),
    deny: texts("Those that may not; wins over `allow`.", { default: [], isRestriction: true }),
    load: section("Where they are found.", {
      paths: list(path("One."), "Files and folders besides the usual ones.", { default: [] }),
    }),
    slots: section("Which extension fills a place.", { memory: text("Memory.") }),
    entries: mapOf(
      section("One extension.", {
        enabled: flag("Loads it."),
        config: open("Its own settings."),
      }),
      "Extensions, by id.",
    ),
    installs: open("Where each came from, written by the program."),
  },
  { reload: "restart" },
);

/** The `skills` section. */
export const skillsSchema = section(
  "Skills of the agents.",
  {
    allowBundled: texts("Those that come with the program and may be used."),
    load: section("Where they are found.", {
      extraDirs: list(path("One."), "Folders besides the usual ones.", { default: [] }),
      watch: flag("Notices changes.", { default: true }),
      watchDebounceMs: integer(0, "Quiet time before a change is read.", { unit: "ms" }),
    }),
    install: section("How what they need is installed.", {
      preferBrew: flag("With Homebrew where there is one."),
      nodeManager: oneOf(["npm", "pnpm", "yarn", "bun"], "Packages of Node."),
    }),
    entries: mapOf(
      section("One skill.", {
        enabled: flag("Offers it."),
        apiKey: secret("Key for it."),
        env: mapOf(anyText("Value.", { isSecret: true }), "Variables for it."),
        config: open("Its own settings."),
      }),
      "Skills, by id.",
    ),
  },
  { reload: "none" },
);
