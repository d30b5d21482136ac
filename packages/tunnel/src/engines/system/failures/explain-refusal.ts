import { TunnelError, type TunnelErrorDetails } from "../../../errors.ts";
import type { FailedSsh } from "./explain-failure.ts";

/** `Load key "/home/me/.ssh/id": invalid format` and the like: a file, and what is wrong with it. */
const UNREADABLE =
  /^(?:Load key|Error loading key) "(.+)": (.+)$|^no such identity: (.+): (.+)$|^Warning: Identity file (.+) not accessible: (.+?)\.?$|^Permissions \d+ for '(.+)' are (too open)\.$/u;
const MISSING = /No such file/u;
const WRONG_PASSPHRASE = /incorrect passphrase supplied/u;
const AGENT_REFUSED =
  /agent refused operation|signing failed for .* from agent|communication with agent failed/u;

/** What kept a key file from being used. */
interface FileFault {
  readonly file: string;
  readonly fault: string;
}

/** Why the server let nobody in. */
export function explainRefusal(failed: FailedSsh): TunnelError {
  const { settings, log } = failed;
  const { facts, messages } = log;
  const { tried, offered, acceptedKey } = facts;
  const place = `${settings.user} on ${settings.hostName}`;
  const details: TunnelErrorDetails = {
    stage: "authentication",
    tried,
    ...(offered ? { offered } : {}),
  };
  if (messages.some((line) => AGENT_REFUSED.test(line))) {
    return new TunnelError("AGENT_LOCKED", `the agent did not sign for ${place}.`, {
      details,
      hint: "Unlock the agent, and confirm or touch the key when it asks.",
    });
  }
  if (acceptedKey?.isSecurityKey === true) {
    return new TunnelError(
      "AGENT_LOCKED",
      `the security key ${acceptedKey.name} did not sign for ${place}.`,
      { details, hint: "Plug it in, and touch it when it blinks." },
    );
  }
  const { locked, unusable } = keyFilesOf(failed);
  const agentShowsNothing = facts.agent === "empty" && settings.identityAgent !== undefined;
  // Its public half was shown to the server and its private half is not here: the agent is to have it.
  const awaitsAgent =
    unusable !== undefined &&
    MISSING.test(unusable.fault) &&
    tried.includes(`publickey ${unusable.file}`);
  const hasNothingElse = unusable === undefined && locked === undefined && tried.length === 0;
  if (agentShowsNothing && (awaitsAgent || hasNothingElse)) {
    return new TunnelError(
      "AGENT_LOCKED",
      `the agent shows no keys: it is locked or empty; nothing else let ${place} in.`,
      { details, hint: "Unlock it with ssh-add -X, or add a key with ssh-add." },
    );
  }
  if (unusable !== undefined) {
    const { file, fault } = unusable;
    return new TunnelError(
      "IDENTITY_UNREADABLE",
      `the file ${file} cannot be used (${fault}); nothing else let ${place} in.`,
      {
        details: { ...details, file },
        hint: "Check its path, its content and its permissions (0600).",
      },
    );
  }
  if (locked !== undefined) {
    return new TunnelError(
      "IDENTITY_LOCKED",
      `the key ${locked} is encrypted, nobody opened it, and nothing else let ${place} in.`,
      {
        details: { ...details, file: locked },
        hint: `Add it to the agent once: ssh-add ${locked}`,
      },
    );
  }
  if (messages.some((line) => /Too many authentication failures/u.test(line))) {
    return new TunnelError(
      "AUTHENTICATION_REFUSED",
      `the server hung up on ${place} after ${tried.length} wrong keys.`,
      {
        details,
        hint: "Name the right key, with --identity or with IdentityFile and IdentitiesOnly in the ssh config.",
      },
    );
  }
  const what =
    tried.length === 0
      ? `there is nothing to authenticate ${place} with`
      : `the server refuses ${place}: tried ${tried.join(", ")}`;
  const accepts = offered && offered.length > 0 ? `; it accepts ${offered.join(", ")}` : "";
  return new TunnelError("AUTHENTICATION_REFUSED", `${what}${accepts}.`, {
    details,
    hint: `Install the key on the server with: ssh-copy-id ${settings.user}@${settings.hostName}`,
  });
}

/** The key file that nobody opened, and the one that is to blame for its own sake. */
function keyFilesOf({ settings, log }: FailedSsh): {
  readonly locked: string | undefined;
  readonly unusable: FileFault | undefined;
} {
  const { acceptedKey } = log.facts;
  const faults = log.messages
    .map((line) => UNREADABLE.exec(line)?.slice(1).filter(Boolean))
    .filter((parts) => parts !== undefined)
    .map(([file = "", fault = ""]): FileFault => ({ file, fault }));
  const wrong = faults.find(({ fault }) => WRONG_PASSPHRASE.test(fault));
  // The server would take the key, its file is here, and it did not sign: nobody opened it.
  const locked = wrong?.file ?? (acceptedKey?.isFromAgent === false ? acceptedKey.name : undefined);
  const others = faults.filter(({ fault }) => !WRONG_PASSPHRASE.test(fault));
  if (locked !== undefined) return { locked, unusable: others.find(({ file }) => file === locked) };
  return { locked, unusable: settings.hasOwnIdentity ? others[0] : undefined };
}
