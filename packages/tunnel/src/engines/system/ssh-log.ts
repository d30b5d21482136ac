import type { Readable } from "node:stream";

/** How far a connection has come. */
export type ConnectStage = "connect" | "handshake" | "authentication" | "keepalive";

/** What the log of ssh told so far. Texts are as ssh wrote them, without control characters. */
export interface LogFacts {
  readonly stage: ConnectStage;
  readonly serverVersion: string | undefined;
  readonly cipher: string | undefined;
  readonly hostKey: { readonly keyType: string; readonly fingerprint: string } | undefined;
  /** Name under which a new key was recorded. */
  readonly recordedName: string | undefined;
  /** Whether something answered that did not greet like an SSH server. */
  readonly greetedOtherwise: boolean;
  /** Keys and methods that were tried, in order. */
  readonly tried: readonly string[];
  /** Methods that the server would go on with. */
  readonly offered: readonly string[] | undefined;
  /** The key that the server would take and that has not signed yet. */
  readonly acceptedKey: AcceptedKey | undefined;
  /** `silent` until it has answered, or was found not to be there. */
  readonly agent: "silent" | "failed" | "empty" | "has-keys";
  /** Whether the keys to offer are known, for which an agent is asked first. */
  readonly hasChosenKeys: boolean;
}

export interface AcceptedKey {
  /** File, or the comment where an agent has it. */
  readonly name: string;
  readonly isFromAgent: boolean;
  /** It signs only when somebody touches it. */
  readonly isSecurityKey: boolean;
}

export interface SshLog {
  readonly facts: LogFacts;
  /** The messages, newest last, without what is only there for debugging. */
  readonly messages: readonly string[];
  add(line: string): void;
}

/** What a failure is explained with, at most. */
const MAX_MESSAGES = 60;
const MAX_LINE_LENGTH = 2000;

/** Reads the log of one ssh, at LogLevel DEBUG1. Each fact is taken once: a server can write lines too. */
export function createSshLog(): SshLog {
  const messages: string[] = [];
  const tried: string[] = [];
  const facts: { -readonly [Name in keyof LogFacts]: LogFacts[Name] } = {
    stage: "connect",
    serverVersion: undefined,
    cipher: undefined,
    hostKey: undefined,
    recordedName: undefined,
    greetedOtherwise: false,
    tried,
    offered: undefined,
    acceptedKey: undefined,
    agent: "silent",
    hasChosenKeys: false,
  };

  function addDebug(text: string): void {
    if (facts.stage === "keepalive") return;
    if (facts.stage === "authentication") return addAuthentication(text);
    if (text.startsWith("Connection established.")) facts.stage = "handshake";
    else if (/^kex_exchange_identification: banner line \d+:/u.test(text)) {
      facts.greetedOtherwise = true;
    } else if (text.startsWith("SSH2_MSG_NEWKEYS received")) facts.stage = "authentication";
    const [, version] =
      /^Remote protocol version \S+, remote software version (.+)$/u.exec(text) ?? [];
    if (version !== undefined) {
      facts.stage = "handshake";
      facts.serverVersion ??= version;
    }
    facts.cipher ??= /^kex: client->server cipher: (\S+)/u.exec(text)?.[1];
    const [, keyType, fingerprint] =
      /^Server host (?:key|certificate): (\S+?)(?:-cert-v01@openssh\.com)? (SHA256:[\w+/]+)/u.exec(
        text,
      ) ?? [];
    if (keyType !== undefined && fingerprint !== undefined) {
      facts.hostKey ??= { keyType, fingerprint };
    }
  }

  function addAuthentication(text: string): void {
    if (text.startsWith("Entering interactive session.")) facts.stage = "keepalive";
    const methods = /^Authentications that can continue: (\S+)/u.exec(text)?.[1];
    if (methods !== undefined) facts.offered = methods.split(",");
    const method = /^Next authentication method: (\S+)/u.exec(text)?.[1];
    // Of this one, the keys are what is tried.
    if (method !== undefined && method !== "publickey") tried.push(method);
    const offered = /^Offering public key: (.+)$/u.exec(text)?.[1];
    if (offered !== undefined) {
      facts.acceptedKey = undefined;
      tried.push(`publickey ${nameOf(offered)}`);
    }
    const accepted = /^Server accepts key: (.+)$/u.exec(text)?.[1];
    if (accepted !== undefined) {
      facts.acceptedKey = {
        name: nameOf(accepted),
        isFromAgent: accepted.endsWith(" agent"),
        isSecurityKey: / \S+-SK(?:-CERT)? SHA256:/u.test(accepted),
      };
    }
    if (/^Authenticated .*partial success/u.test(text)) facts.acceptedKey = undefined;
    const count = /^get_agent_identities: agent returned (\d+) keys/u.exec(text)?.[1];
    if (count !== undefined) facts.agent = count === "0" ? "empty" : "has-keys";
    if (/^get_agent_identities: .*agent contains no identities/u.test(text)) facts.agent = "empty";
    else if (/^get_agent_identities: ssh_\w+: /u.test(text)) facts.agent = "failed";
    if (/^(?:Will attempt key: |SSH2_MSG_SERVICE_ACCEPT received)/u.test(text)) {
      facts.hasChosenKeys = true;
    }
  }

  return {
    facts,
    messages,
    add(raw) {
      const line = raw.replace(/[\p{C}]/gu, "").slice(0, MAX_LINE_LENGTH);
      const debug = /^debug\d: (.*)$/u.exec(line)?.[1];
      if (debug !== undefined) return addDebug(debug);
      if (line.trim() === "") return;
      // `Authenticated to host (…) using "publickey".` comes when it is over, whatever the level.
      if (line.startsWith("Authenticated to ")) {
        facts.acceptedKey = undefined;
        return;
      }
      if (/^Authenticated using ".*" with partial success/u.test(line)) {
        facts.acceptedKey = undefined;
        return;
      }
      if (/^(?:Transferred: sent|Bytes per second: sent) /u.test(line)) return;
      facts.recordedName ??= /^Warning: Permanently added '([^']+)'/u
        .exec(line)?.[1]
        ?.split(",")[0];
      messages.push(line);
      if (messages.length > MAX_MESSAGES) messages.shift();
    },
  };

  /** `/home/me/.ssh/id ED25519 SHA256:… explicit` without what follows the name. */
  function nameOf(key: string): string {
    return key.replace(/ \S+ SHA256:\S+(?: .*)?$/u, "");
  }
}

/** Calls back for each line of a stream; a last one without a line break counts at the end. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split(/\r?\n/u);
    // A program that writes without end and without a line break is cut off.
    rest = (lines.pop() ?? "").slice(-MAX_LINE_LENGTH);
    for (const line of lines) onLine(line);
  });
  stream.on("end", () => {
    if (rest !== "") onLine(rest);
  });
}
