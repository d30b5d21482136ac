import { TunnelError, type TunnelErrorCode, type TunnelErrorDetails } from "../../../errors.ts";
import type { KnownHost } from "../../../host-keys/known-hosts.ts";
import {
  changedKey,
  otherThanPinned,
  revokedKey,
  unknownKey,
} from "../../../host-keys/host-key-refusals.ts";
import type { SshSettings } from "../../../settings/ssh-settings.ts";
import { configError } from "../../../settings/ssh-complaints.ts";
import { formatSshTarget } from "../../../target.ts";
import { explainRefusal } from "./explain-refusal.ts";
import { failurePatterns } from "./failure-patterns.ts";
import type { SshLog } from "../ssh-log.ts";

/** One ssh that has ended, and what it said. */
export interface FailedSsh {
  readonly settings: SshSettings;
  readonly log: Pick<SshLog, "facts" | "messages">;
  readonly known: KnownHost | undefined;
  /** The only key that was acceptable. */
  readonly pinned?: string | undefined;
  /** Whether a program carries the connection: its words are among those of ssh. */
  readonly usesProxyCommand: boolean;
  readonly exitCode: number | null;
}

/** How much of the last words goes into an error. */
const STDERR_LINES = 8;
const STDERR_CHARACTERS = 1000;

/** What the last words of an ssh mean; undefined when none of them is known. */
export function explainFailure(failed: FailedSsh): TunnelError | undefined {
  const { log, settings, exitCode, usesProxyCommand } = failed;
  const { facts, messages } = log;
  const { stage } = facts;
  const found = failurePatterns
    .filter(({ stages }) => stages.includes(stage))
    .map(({ pattern, code }) => ({ code, line: messages.find((line) => pattern.test(line)) }))
    .find(({ line }) => line !== undefined);
  if (found?.line === undefined) return undefined;
  const { code, line } = found;
  const place = placeOf(settings);
  if (code === "CONFIGURATION") return configError(messages.join("\n"), exitCode);
  if (code === "HOST_KEY") return explainHostKey(failed, place);
  if (code === "AUTHENTICATION") return explainRefusal(failed);
  if (code === "NO_COMMON_ALGORITHM") return noCommonAlgorithm(line, place);
  if (code === "CONNECTION_LOST" && stage !== "keepalive") {
    if (facts.greetedOtherwise && facts.serverVersion === undefined) {
      return explained("NOT_SSH", line, place, { stage });
    }
    if (usesProxyCommand && facts.serverVersion === undefined) return proxyEnded(failed, place);
  }
  return explained(code, line, place, { stage: line.includes("banner") ? "handshake" : stage });
}

/** The host a setting leads to, for messages. */
export function placeOf({ target, hostName, port }: SshSettings): string {
  const place = formatSshTarget({ host: hostName, port });
  return target.host === hostName ? place : `${target.host} (${place})`;
}

/** The last words of an ssh, for an error that nobody foresaw. */
export function lastWords({ messages }: Pick<SshLog, "messages">): string {
  return messages.slice(-STDERR_LINES).join("\n").slice(-STDERR_CHARACTERS);
}

/** When a new error class would say no more than the code does. */
function explained(
  code: TunnelErrorCode,
  line: string,
  place: string,
  details: TunnelErrorDetails,
): TunnelError {
  const said = line.replace(/^(?:ssh|kex_exchange_identification|client_loop): /u, "");
  switch (code) {
    case "NAME_NOT_RESOLVED":
      return new TunnelError(code, `the name of ${place} has no address.`, {
        details,
        hint: "Check the spelling, the network and the HostName in your ssh config.",
      });
    case "CONNECTION_REFUSED":
      return new TunnelError(code, `nothing listens on ${place}.`, {
        details,
        hint: "Check that sshd runs there and that this is its port.",
      });
    case "HOST_UNREACHABLE":
      return new TunnelError(code, `there is no way to ${place} (${reasonIn(said)}).`, {
        details,
        hint: "Check the network and, if there is one, the VPN.",
      });
    case "NOT_SSH":
      return new TunnelError(code, `${place} answers, but is no SSH server.`, {
        details,
        hint: "Check the port: a web server or a Gateway may listen there.",
      });
    case "TIMED_OUT": {
      const message =
        details.stage === "keepalive"
          ? `no sign of life from ${place}.`
          : `${place} did not answer in time (${details.stage}).`;
      return new TunnelError(code, message, { details });
    }
    case "LOCAL_PORT_BUSY":
      return new TunnelError(code, `ssh cannot listen: ${said}.`, { details });
    case "FORWARD_REFUSED":
      return new TunnelError(code, `the SSH server refuses a forward: ${said}.`, { details });
    default:
      return new TunnelError(code, `the connection to ${place} broke: ${dotless(said)}.`, {
        details,
      });
  }
}

function noCommonAlgorithm(line: string, place: string): TunnelError {
  const [, kind = "algorithm", offer = ""] =
    /no matching (.+?) found(?:\. Their offer: (\S+))?/u.exec(line) ?? [];
  return new TunnelError("NO_COMMON_ALGORITHM", `${place} and ssh share no ${kind}.`, {
    details: { stage: "handshake", kind, offered: offer.split(",").filter(Boolean) },
    hint: "Update the SSH server, or look at Ciphers, MACs, KexAlgorithms and HostKeyAlgorithms in your ssh config.",
  });
}

/**
 * What known_hosts has is read once more rather than taken out of the words of ssh: those name a file
 * and a line at best, and the other engine says it the same way.
 */
function explainHostKey({ log, known, pinned }: FailedSsh, place: string): TunnelError {
  const { hostKey } = log.facts;
  if (hostKey === undefined) {
    return new TunnelError("HOST_KEY_UNKNOWN", `the host key of ${place} was not accepted.`, {
      details: { stage: "handshake" },
      hint: "Log in once with ssh and see what it says.",
    });
  }
  const shown = {
    name: known?.name.display ?? place,
    type: hostKey.keyType,
    fingerprint: hostKey.fingerprint,
  };
  if (pinned !== undefined) return otherThanPinned(shown, pinned);
  const isRevoked = log.messages.some((line) => /REVOKED HOST KEY|\brevoked\b/u.test(line));
  if (isRevoked) {
    const mark =
      known?.revoked.find(({ fingerprint }) => fingerprint === shown.fingerprint) ??
      known?.revoked[0];
    if (mark !== undefined) return revokedKey(shown, mark);
    return new TunnelError("HOST_KEY_REVOKED", `the host key of ${shown.name} is revoked.`, {
      details: { fingerprint: shown.fingerprint, keyType: shown.type },
    });
  }
  if (known !== undefined && known.keys.length > 0) return changedKey(shown, known.keys);
  const fault = log.messages
    .map((line) => /^Certificate invalid: (.+)$/u.exec(line)?.[1])
    .find((text) => text !== undefined);
  return unknownKey(shown, {
    fault: fault === undefined ? undefined : `is not valid: ${fault}`,
    obstacle: undefined,
  });
}

/** The program of ProxyCommand ended before any SSH server was heard through it. */
function proxyEnded({ log, exitCode }: FailedSsh, place: string): TunnelError {
  const words = log.messages.filter(
    (line) => !/^kex_exchange_identification|^Connection /u.test(line),
  );
  const said = words.length === 0 ? "it said nothing" : dotless(words.slice(-2).join("; "));
  return new TunnelError(
    "CONNECTION_LOST",
    `the ProxyCommand to ${place} ended before it had connected: ${said}.`,
    {
      details: { stage: "connect", exitCode, stderr: lastWords(log) },
      hint: "Run the ProxyCommand of your ssh config by hand.",
    },
  );
}

function reasonIn(line: string): string {
  return line.slice(line.lastIndexOf(": ") + 2);
}

function dotless(text: string): string {
  return text.replace(/\.$/u, "");
}
