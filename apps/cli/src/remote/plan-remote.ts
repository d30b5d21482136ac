import { asObject } from "@openclaw/app-kit";
import {
  type ConfigEdit,
  formatSshAddress,
  type JsonObject,
  normalizeGatewayUrl,
  readSshAddress,
  readTlsPins,
  resolveGatewayTarget,
} from "@openclaw/config";
import { usageError } from "../errors.ts";

/** What `remote set` is told. */
export interface RemotePlanInput {
  /** An SSH target, or a `ws:` or `wss:` URL. */
  readonly target: string;
  readonly identity?: string | undefined;
  readonly remotePort?: number | undefined;
  /** Go there without a tunnel, and keep the SSH target for what needs it. */
  readonly direct?: string | undefined;
  readonly token?: string | undefined;
  readonly password?: string | undefined;
  /** `--tls-fingerprint`, once or twice; for a `wss:` URL. */
  readonly tlsFingerprint?: readonly string[] | undefined;
}

/** What becomes of `gateway.remote`. */
export interface RemotePlan {
  readonly edits: readonly ConfigEdit[];
  /** Secrets of another Gateway that go. */
  readonly dropped: readonly string[];
}

/** Keys that say where the Gateway is; what is not set anew is of another one. */
const PLACE_KEYS = ["url", "transport", "sshTarget", "sshIdentity", "remotePort"] as const;
/** Keys that hold for one Gateway alone. */
const BOUND_KEYS = ["token", "password", "tlsFingerprint"] as const;

/**
 * The edits that make a Gateway the default target. A secret or a pin goes with the Gateway that it
 * was for: it is never sent to the next one.
 *
 * @throws {ConfigError} or {CliError} for a target that cannot be used
 */
export function planRemote(input: RemotePlanInput, config: JsonObject): RemotePlan {
  const place = placeOf(input);
  const remote = asObject(asObject(config["gateway"])["remote"]);
  const isSame =
    remote["url"] === place.url &&
    remote["sshTarget"] === place.sshTarget &&
    remote["remotePort"] === place.remotePort;
  const given: Record<string, unknown> = {
    ...(input.token === undefined ? {} : { token: input.token }),
    ...(input.password === undefined ? {} : { password: input.password }),
    ...givenPins(input, place),
  };
  const dropped = isSame
    ? []
    : BOUND_KEYS.filter((key) => remote[key] !== undefined && given[key] === undefined);
  const edits: ConfigEdit[] = [
    { path: "gateway.mode", value: "remote" },
    ...PLACE_KEYS.filter((key) => place[key] !== undefined || remote[key] !== undefined).map(
      (key) => ({ path: `gateway.remote.${key}`, value: place[key] }),
    ),
    ...dropped.map((key) => ({ path: `gateway.remote.${key}`, value: undefined })),
    ...Object.entries(given).map(([key, value]) => ({ path: `gateway.remote.${key}`, value })),
  ];
  return { edits, dropped };
}

/** One pin is written as a text, as ever; two as a list. */
function givenPins(
  { tlsFingerprint = [] }: RemotePlanInput,
  place: Place,
): { tlsFingerprint?: string | readonly string[] } {
  if (tlsFingerprint.length === 0) return {};
  const url = String(place.url ?? "an SSH target");
  if (!url.startsWith("wss:")) {
    throw usageError(
      `--tls-fingerprint is for wss://, and ${url} has no certificate.`,
      "The host key of an SSH target is pinned in your known_hosts.",
    );
  }
  const pins = readTlsPins(tlsFingerprint, "--tls-fingerprint");
  return { tlsFingerprint: pins.length === 1 ? (pins[0] ?? "") : pins };
}

type Place = Partial<Record<(typeof PLACE_KEYS)[number], string | number>>;

function placeOf({ target, identity, remotePort, direct }: RemotePlanInput): Place {
  const ssh = readSshAddress(target, "remote set");
  if (ssh === undefined) {
    for (const [value, flag] of [
      [identity, "--identity"],
      [remotePort, "--remote-port"],
      [direct, "--direct"],
    ] as const) {
      if (value !== undefined) throw usageError(`${flag} needs an SSH target such as me@box.`);
    }
    return { url: usableUrl(target, "remote set"), transport: "direct" };
  }
  const port = remotePort ?? ssh.remotePort;
  const way = {
    sshTarget: formatSshAddress(ssh),
    ...(identity === undefined ? {} : { sshIdentity: identity }),
    ...(port === undefined ? {} : { remotePort: port }),
  };
  if (direct === undefined) return { transport: "ssh", ...way };
  return { ...way, transport: "direct", url: usableUrl(direct, "--direct") };
}

/** Also refuses plaintext to a host that anybody may listen to. */
function usableUrl(text: string, source: string): string {
  const url = normalizeGatewayUrl(text, source);
  resolveGatewayTarget({ env: {}, config: { gateway: { mode: "remote", remote: { url } } } });
  return url;
}

/** The edits that take the remote Gateway away again. */
export function planNoRemote(config: JsonObject): readonly ConfigEdit[] {
  const gateway = asObject(config["gateway"]);
  return [
    ...(gateway["mode"] === "remote" ? [{ path: "gateway.mode", value: "local" }] : []),
    ...(gateway["remote"] === undefined ? [] : [{ path: "gateway.remote", value: undefined }]),
  ];
}
