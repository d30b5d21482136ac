import type { Logger } from "../../../logger.ts";
import type { Agent } from "./agent.ts";
import { AgentFailure } from "./agent-client.ts";
import type { Asking } from "./asking.ts";
import { agentSignsAtOnce, type Candidate } from "./candidates.ts";
import type { FileFault, IdentityFile } from "./identity-file.ts";
import type { IdentityOpener, OpenedIdentity } from "./identity-opener.ts";
import { isSecurityKeyType, type PublicKey } from "./public-key.ts";
import { dataToSign, keyQuery, type PublicKeyRequest, signedRequest } from "./publickey-request.ts";
import { type SignatureAlgorithm, signatureAlgorithmsFor } from "./signature-algorithms.ts";
import type { AuthenticationWire } from "./ssh2-internals.ts";

/** What the method tells about its failures. */
export interface PublicKeyEvidence {
  readonly unsigned: AgentFailure | undefined;
  readonly locked: IdentityFile | undefined;
  readonly unopened: IdentityFile | undefined;
  readonly faults: readonly FileFault[];
  readonly skipped: readonly string[];
}

/** The method `publickey`: one key after the other. */
export interface PublicKeyMethod {
  /** The next request; undefined when no key is left. */
  next(wire: Wire): Promise<Buffer | undefined>;
  /** The signed request for the key the server was asked about; undefined when it cannot be signed. */
  sign(wire: Wire): Promise<Buffer | undefined>;
  /** A key was accepted and the server wants more: all others may be offered again. */
  startAgain(): void;
  readonly isExhausted: boolean;
  readonly evidence: PublicKeyEvidence;
}

type Wire = Pick<AuthenticationWire, "sessionId" | "announcedAlgorithms" | "hostProof">;

export interface PublicKeyMethodOptions {
  readonly user: string;
  readonly candidates: readonly Candidate[];
  readonly agent: Agent | undefined;
  readonly opener: IdentityOpener;
  readonly acceptedAlgorithms: readonly string[] | undefined;
  readonly asking: Asking;
  readonly logger: Logger;
  /** Told of each key that is offered. */
  readonly trying: (label: string) => void;
}

/** A key that is still to be offered, with its best algorithm first. */
interface Turn {
  readonly candidate: Candidate;
  readonly rank: number;
}

/** A key that is being offered. */
interface Attempt {
  readonly candidate: Candidate;
  readonly request: PublicKeyRequest;
  readonly algorithm: SignatureAlgorithm;
}

/** A signed request; or the key needs a person, or the server's word that it is worth it; or neither. */
type Signed = Buffer | "locked" | "unusable";

/** After so long somebody may have to do something. */
const SLOW_SIGNATURE_MS = 1000;

export function createPublicKeyMethod(options: PublicKeyMethodOptions): PublicKeyMethod {
  const { user, candidates, agent, opener, acceptedAlgorithms, asking, logger, trying } = options;
  const faults: FileFault[] = [];
  const skipped: string[] = [];
  let unsigned: AgentFailure | undefined;
  let locked: IdentityFile | undefined;
  let unopened: IdentityFile | undefined;

  let left = turnsOf(candidates);
  let current: Attempt | undefined;
  let isBound = false;

  /** undefined when it cannot be offered. */
  async function attemptOf({ candidate, rank }: Turn, wire: Wire): Promise<Attempt | undefined> {
    const publicKey = candidate.publicKey ?? (await openToKnow(candidate));
    if (publicKey === undefined) return undefined;
    const algorithms = signatureAlgorithmsFor(publicKey.type, {
      accepted: acceptedAlgorithms,
      announced: wire.announcedAlgorithms,
    });
    const algorithm = algorithms[rank];
    if (algorithm === undefined) {
      skipped.push(`${candidate.label} (its algorithms are not allowed)`);
      return undefined;
    }
    // What a server announces says nothing about what its configuration allows. Last, since it also
    // refuses keys that it does not know, and hangs up after a few.
    if (rank + 1 < algorithms.length) left.push({ candidate, rank: rank + 1 });
    const request = { user, algorithm: algorithm.request, blob: publicKey.blob };
    return { candidate, algorithm, request };
  }

  async function openToKnow({ source }: Candidate): Promise<PublicKey | undefined> {
    if (source.kind !== "file") return undefined;
    const opened = await opener.open(source.identity);
    if (opened.kind === "opened") return opened.key.publicKey;
    if (opened.kind === "locked") unopened ??= source.identity;
    else faults.push(opened.fault);
    return undefined;
  }

  /** The request with a signature, where it can be had without asking the server or a person. */
  async function signAtOnce(attempt: Attempt, wire: Wire): Promise<Signed> {
    const { source } = attempt.candidate;
    if (source.kind === "file") {
      return signWithFile(attempt, opener.openQuietly(source.identity), wire);
    }
    if (!agentSignsAtOnce(attempt.candidate)) return "locked";
    return signWithAgent(attempt, source.keyBlob, wire);
  }

  function signWithFile(attempt: Attempt, opened: OpenedIdentity, wire: Wire): Signed {
    const { request, algorithm } = attempt;
    if (opened.kind === "locked") return "locked";
    if (opened.kind === "fault") {
      if (!faults.includes(opened.fault)) faults.push(opened.fault);
      return "unusable";
    }
    const data = dataToSign(request, wire.sessionId);
    return signedRequest(request, opened.key.sign(data, algorithm.signature));
  }

  async function signWithAgent(attempt: Attempt, keyBlob: Buffer, wire: Wire): Promise<Signed> {
    const { request, algorithm, candidate } = attempt;
    if (agent === undefined) return "unusable";
    const report = (): void =>
      logger.info({ key: candidate.label }, "waiting for the agent to sign");
    const needsTouch = isSecurityKeyType(algorithm.signature);
    if (needsTouch) report();
    const timer = needsTouch ? undefined : setTimeout(report, SLOW_SIGNATURE_MS);
    try {
      return await asking.whileWaiting(async () => {
        await bindOnce(agent, wire);
        const data = dataToSign(request, wire.sessionId);
        return signedRequest(request, await agent.sign(keyBlob, data, algorithm.signature));
      });
    } catch (error) {
      if (!(error instanceof AgentFailure)) throw error;
      unsigned ??= error;
      logger.warn({ key: candidate.label, reason: error.message }, "the agent did not sign");
      // It would keep silent about its other keys too, each time for as long.
      if (error.kind !== "refused") {
        left = left.filter((turn) => turn.candidate.source.kind !== "agent");
      }
      return "unusable";
    } finally {
      clearTimeout(timer);
    }
  }

  /** Its other algorithms would not help. */
  function giveUp({ candidate }: Attempt): void {
    left = left.filter((turn) => turn.candidate !== candidate);
  }

  async function bindOnce(agent: Agent, { hostProof, sessionId }: Wire): Promise<void> {
    if (isBound || hostProof === undefined) return;
    isBound = true;
    await agent.bind({ ...hostProof, sessionId });
  }

  return {
    async next(wire) {
      for (let turn = left.shift(); turn; turn = left.shift()) {
        // oxlint-disable-next-line no-await-in-loop
        const attempt = await attemptOf(turn, wire);
        if (attempt === undefined) continue;
        // oxlint-disable-next-line no-await-in-loop
        const signed = await signAtOnce(attempt, wire);
        if (signed === "unusable") {
          giveUp(attempt);
          continue;
        }
        current = attempt;
        trying(attempt.candidate.label);
        return signed === "locked" ? keyQuery(attempt.request) : signed;
      }
      return undefined;
    },
    async sign(wire) {
      if (current === undefined) return undefined;
      const { source } = current.candidate;
      let signed: Signed;
      if (source.kind === "agent") {
        signed = await signWithAgent(current, source.keyBlob, wire);
      } else {
        signed = signWithFile(current, await opener.open(source.identity), wire);
        if (signed === "locked") locked ??= source.identity;
      }
      if (signed !== "locked" && signed !== "unusable") return signed;
      giveUp(current);
      return undefined;
    },
    startAgain() {
      const accepted = current?.candidate;
      current = undefined;
      left = turnsOf(candidates.filter((candidate) => candidate !== accepted));
    },
    get isExhausted() {
      return left.length === 0;
    },
    get evidence() {
      return { unsigned, locked, unopened, faults, skipped };
    },
  };
}

function turnsOf(candidates: readonly Candidate[]): Turn[] {
  return candidates.map((candidate) => ({ candidate, rank: 0 }));
}
