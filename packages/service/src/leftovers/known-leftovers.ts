import type { Supervisor } from "../definition/parsed-service.ts";
import type { ServiceKind } from "../definition/service-names.ts";

/**
 * What to do about a leftover.
 *
 * - `remove`: nothing needs it any more.
 * - `replace`: it does something that a service of ours would do better.
 * - `report`: somebody set it up by hand, or it is not this user's to change.
 */
export type Recommendation = "remove" | "replace" | "report";

/** One row of the table of former names. */
export interface KnownLeftover {
  readonly supervisor: Supervisor;
  readonly kind: ServiceKind;
  /** Matches the label, the unit or the task as a whole. */
  readonly name: RegExp;
  readonly recommendation: Recommendation;
  readonly reason: string;
  /** Names that begin so are also used by others; these must run a Gateway besides. */
  readonly mustRunGateway?: boolean;
}

const FORMER = "It belongs to a release under a former name.";
const TUNNEL = "A tunnel that was set up by hand; two tunnels on one port are in each other's way.";

/** First match counts. */
export const KNOWN_LEFTOVERS: readonly KnownLeftover[] = [
  row(
    "launchd",
    "tunnel",
    /^com\.openclaw\.ssh-tunnel$/u,
    "remove",
    "Its name was given up; ai.openclaw.ssh-tunnel took its place.",
  ),
  row("launchd", "tunnel", /^(?:com\.clawdbot|bot\.molt)\.ssh-tunnel$/u, "replace", TUNNEL),
  row("launchd", "node", /^(?:com\.clawdbot|bot\.molt)\.node$/u, "remove", FORMER),
  row(
    "launchd",
    "gateway",
    /^(?:com\.clawdbot|com\.steipete\.clawdbot|bot\.molt)\.gateway$/u,
    "remove",
    FORMER,
  ),
  {
    ...row(
      "launchd",
      "gateway",
      /^(?:com\.clawdbot|bot\.molt)\.[a-z0-9][a-z0-9_-]*$/iu,
      "remove",
      FORMER,
    ),
    mustRunGateway: true,
  },
  row("systemd", "tunnel", /^clawdbot-ssh-tunnel\.service$/u, "replace", TUNNEL),
  row("systemd", "node", /^(?:clawdbot|moltbot)-node\.service$/u, "remove", FORMER),
  row(
    "systemd",
    "gateway",
    /^(?:clawdbot|moltbot)-gateway(?:-[a-z0-9][a-z0-9_-]*)?\.service$/iu,
    "remove",
    FORMER,
  ),
  row(
    "systemd",
    "gateway",
    /^clawdbot\.service$/u,
    "report",
    "A unit that was written by hand; it may well be what runs the Gateway.",
  ),
  row(
    "schtasks",
    "gateway",
    /^(?:Clawdbot|Moltbot) Gateway(?: \([a-z0-9][a-z0-9_-]*\))?$/iu,
    "remove",
    FORMER,
  ),
];

/** Texts of which a file must hold one before it is touched. */
const MARKERS = /openclaw|clawdbot|moltbot|\bbot\.molt\b/iu;

/** Whether a definition says of itself that it has to do with this program. */
export function hasMarker(text: string): boolean {
  return MARKERS.test(text);
}

/** The row that a name belongs to. */
export function knownLeftover(supervisor: Supervisor, name: string): KnownLeftover | undefined {
  return KNOWN_LEFTOVERS.find((known) => known.supervisor === supervisor && known.name.test(name));
}

function row(
  supervisor: Supervisor,
  kind: ServiceKind,
  name: RegExp,
  recommendation: Recommendation,
  reason: string,
): KnownLeftover {
  return { supervisor, kind, name, recommendation, reason };
}
