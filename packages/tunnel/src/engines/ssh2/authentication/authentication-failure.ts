import { TunnelError, type TunnelErrorDetails } from "../../../errors.ts";
import type { AgentFailure } from "./agent-client.ts";
import { type FileFault, type IdentityFile, labelOf } from "./identity-file.ts";

/** What was learnt while everything was refused. */
export interface Evidence {
  readonly user: string;
  readonly host: string;
  readonly tried: readonly string[];
  /** Keys that could not even be offered, each with the reason. */
  readonly skipped: readonly string[];
  /** Methods that the server would go on with; undefined when it never said. */
  readonly offered: readonly string[] | undefined;
  /** The server would have taken a key, or the user has named it, and the agent did not sign. */
  readonly unsigned: AgentFailure | undefined;
  /** The server would have taken this key, and nobody opened it. */
  readonly locked: IdentityFile | undefined;
  /** Nobody opened it, so that it could not even be offered. */
  readonly unopened: IdentityFile | undefined;
  /** Of files that the user has named. */
  readonly namedFaults: readonly FileFault[];
  /** Of default files. */
  readonly otherFaults: readonly FileFault[];
  /** Only the public half of a key is here, so the agent is meant to have it. */
  readonly awaitsAgent: boolean;
  /** The agent could not be asked for its keys. */
  readonly agentFailure: AgentFailure | undefined;
  readonly isAgentMaybeLocked: boolean;
  readonly needsSystemSsh: string | undefined;
  /** The server wants the password changed first. */
  readonly isPasswordExpired: boolean;
  readonly hasIdentity: boolean;
}

/** From so many keys on a server may hang up before it has seen the right one (MaxAuthTries is 6). */
const MANY_KEYS = 5;

/** The error for a connection on which everything was refused: the first of these that holds. */
export function authenticationFailure(evidence: Evidence): TunnelError {
  const { unsigned, locked, unopened, tried, offered } = evidence;
  const place = `${evidence.user} on ${evidence.host}`;
  const details: TunnelErrorDetails = {
    stage: "authentication",
    tried,
    ...(offered ? { offered } : {}),
  };
  if (unsigned) {
    return new TunnelError("AGENT_LOCKED", `${agentWords(unsigned)} for ${place}.`, {
      cause: unsigned,
      details,
      hint: "Unlock the agent, and confirm or touch the key when it asks.",
    });
  }
  const agent = silentAgent(evidence);
  if (agent && (locked || unopened || evidence.awaitsAgent)) {
    return agentLocked(agent, place, details);
  }
  if (locked) return identityLocked(locked, place, details);
  const fault = evidence.namedFaults[0] ?? (tried.length === 0 && evidence.otherFaults[0]);
  if (fault) {
    const message = `the file ${labelOf(fault.file)} ${fault.message}`;
    return new TunnelError("IDENTITY_UNREADABLE", `${message}; nothing else let ${place} in.`, {
      details: { ...details, file: fault.file },
      hint: fault.hint,
    });
  }
  if (unopened) return identityLocked(unopened, place, details);
  if (agent && (agent.cause || tried.length === 0)) return agentLocked(agent, place, details);
  return new TunnelError("AUTHENTICATION_REFUSED", refusalWords(evidence, place), {
    details,
    hint: refusalHint(evidence),
  });
}

/** An agent that may have the right key and does not show it. */
interface SilentAgent {
  readonly message: string;
  readonly cause: AgentFailure | undefined;
  readonly hint: string;
}

function silentAgent({ agentFailure, isAgentMaybeLocked }: Evidence): SilentAgent | undefined {
  // A socket that nobody listens on is a leftover, as after a reboot.
  if (agentFailure && agentFailure.kind !== "unreachable") {
    return {
      message: `the agent does not list its keys: ${agentFailure.message}`,
      cause: agentFailure,
      hint: "See whether it answers: ssh-add -l",
    };
  }
  if (!isAgentMaybeLocked) return undefined;
  return {
    message: "the agent shows no keys: it is locked or empty",
    cause: undefined,
    hint: "Unlock it with ssh-add -X, or add a key with ssh-add.",
  };
}

function agentLocked(
  { message, cause, hint }: SilentAgent,
  place: string,
  details: TunnelErrorDetails,
): TunnelError {
  return new TunnelError("AGENT_LOCKED", `${message}; nothing else let ${place} in.`, {
    ...(cause ? { cause } : {}),
    details,
    hint,
  });
}

function identityLocked(
  { label, path }: IdentityFile,
  place: string,
  details: TunnelErrorDetails,
): TunnelError {
  return new TunnelError(
    "IDENTITY_LOCKED",
    `the key ${label} is encrypted, nobody opened it, and nothing else let ${place} in.`,
    {
      details: { ...details, file: path },
      hint: `Add it to the agent once: ssh-add ${label}`,
    },
  );
}

function agentWords({ kind, message }: AgentFailure): string {
  if (kind === "refused") return `${message}: it may be locked, or the use was not confirmed,`;
  if (kind === "silent") return `the agent did not sign in time (${message})`;
  return `the agent did not sign (${message})`;
}

function refusalWords(
  { tried, skipped, offered, isPasswordExpired }: Evidence,
  place: string,
): string {
  const parts = [
    tried.length === 0
      ? `there is nothing to authenticate ${place} with`
      : `the server refuses ${place}: tried ${tried.join(", ")}`,
    ...(skipped.length > 0 ? [`could not offer ${skipped.join(", ")}`] : []),
    ...(isPasswordExpired ? ["the password has to be changed first"] : []),
    ...(offered && offered.length > 0 ? [`it accepts ${offered.join(", ")}`] : []),
  ];
  return `${parts.join("; ")}.`;
}

function refusalHint(evidence: Evidence): string {
  const { tried, offered, needsSystemSsh, user, host } = evidence;
  if (needsSystemSsh !== undefined) return `Choose the engine "system": ${needsSystemSsh}.`;
  if (evidence.isPasswordExpired) return `Log in once with ssh ${user}@${host} and change it.`;
  if (offered && !offered.includes("publickey")) {
    return `The server takes no keys: give the password, or allow keys in its sshd_config.`;
  }
  if (tried.length >= MANY_KEYS) {
    return "Name the right key, with --identity or with IdentityFile and IdentitiesOnly in the ssh config: servers hang up after a few wrong ones.";
  }
  if (tried.length === 0 && !evidence.hasIdentity) {
    return `Make a key with ssh-keygen, and install it with: ssh-copy-id ${user}@${host}`;
  }
  const agent =
    evidence.agentFailure?.kind === "unreachable"
      ? " The agent of this session cannot be reached."
      : evidence.isAgentMaybeLocked
        ? " The agent shows no keys: it is locked or empty."
        : "";
  return `Install the key on the server with: ssh-copy-id ${user}@${host}${agent && `.${agent}`}`;
}
