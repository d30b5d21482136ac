import { isObject } from "../json.ts";
import type { SectionRule } from "./config-node.ts";
import { flag, integer, mapOf, matching, oneOf, path, port, section, text } from "./build-node.ts";

const URL_OF_CDP = /^(?:https?|wss?):\/\//u;
const color = matching(/^#?[0-9A-Fa-f]{6}$/u, "a colour such as #FF4500", "Colour of the window.");
const cdpUrl = matching(URL_OF_CDP, "an http:// or https:// URL", "Where the browser is steered.");

/** A profile that says neither cannot be found. */
const needsAddress: SectionRule = {
  summary: "Every profile has a `cdpPort` or a `cdpUrl`.",
  problems: ({ profiles }) =>
    Object.entries(isObject(profiles) ? profiles : {}).flatMap(([name, profile]) =>
      isObject(profile) && profile["cdpPort"] === undefined && profile["cdpUrl"] === undefined
        ? [{ path: ["profiles", name], allowed: "an object with cdpPort or cdpUrl" }]
        : [],
    ),
};

/** The `browser` section. */
export const browserSchema = section(
  "The browser that agents use. Whoever reaches it is an operator.",
  {
    enabled: flag("Offers it.", { default: true }),
    evaluateEnabled: flag("Runs scripts in pages.", { default: true }),
    cdpUrl: { ...cdpUrl, defaultText: "one port above the browser control port, on loopback" },
    remoteCdpTimeoutMs: integer(1, "How long one elsewhere may take.", {
      default: 1500,
      unit: "ms",
    }),
    remoteCdpHandshakeTimeoutMs: integer(1, "The same for the handshake.", {
      defaultText: "twice `remoteCdpTimeoutMs`, at least 2000",
      unit: "ms",
    }),
    color: { ...color, default: "#FF4500" },
    executablePath: path("The browser.", { defaultText: "found" }),
    headless: flag("Shows no window.", { default: false }),
    noSandbox: flag("Runs it without its own sandbox.", { default: false }),
    attachOnly: flag("Starts none.", { default: false }),
    defaultProfile: text("Profile that is used when none is named.", { default: "chrome" }),
    snapshotDefaults: section("What pages are described by.", {
      mode: oneOf(["efficient"], "How briefly."),
    }),
    profiles: mapOf(
      section("One profile.", {
        cdpPort: port("Port on which it is steered."),
        cdpUrl,
        driver: oneOf(["openclaw", "extension"], "Who steers it.", { default: "openclaw" }),
        color,
      }),
      "Profiles, by name.",
      { restKey: { pattern: /^[a-z0-9-]+$/u, allowed: "small letters, digits and hyphens" } },
    ),
  },
  { reload: "hot", rules: [needsAddress] },
);
