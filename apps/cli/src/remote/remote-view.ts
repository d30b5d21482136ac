import { asObject } from "@openclaw/app-kit";
import { type JsonObject, redactConfig } from "@openclaw/config";

/** Keys of `gateway.remote` whose values are shown. */
const SHOWN = [
  "transport",
  "url",
  "sshTarget",
  "sshIdentity",
  "remotePort",
  "sshHostKeyPolicy",
  "tlsFingerprint",
] as const;
/** Keys of which only it is said that they are there. */
const SECRETS = ["token", "password", "edgeAuth"] as const;

/** `gateway.remote` as it may be seen; null when there is none. */
export function remoteView(config: JsonObject): Record<string, unknown> | null {
  const remote = asObject(config)["gateway"];
  // What is left to hide among the keys that are shown is a URL with a credential in it.
  const section = redactConfig(asObject(asObject(remote)["remote"]), () => false);
  const shown = SHOWN.filter((key) => section[key] !== undefined).map((key) => [key, section[key]]);
  const secrets = SECRETS.filter((key) => section[key] !== undefined).map((key) => [key, "set"]);
  const view = Object.fromEntries([...shown, ...secrets]) as Record<string, unknown>;
  return Object.keys(view).length === 0 ? null : view;
}

/** `gateway.mode`, which is this machine where nothing is said. */
export function modeOf(config: JsonObject): string {
  const { mode } = asObject(config["gateway"]);
  return typeof mode === "string" ? mode : "local";
}
