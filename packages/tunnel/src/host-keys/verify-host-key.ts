import type { TunnelError } from "../errors.ts";
import type { HostKeyPolicy, SshSettings } from "../settings/ssh-settings.ts";
import { isSameFingerprint, parseFingerprint } from "./fingerprint.ts";
import { certificateFault } from "./host-certificate.ts";
import { changedKey, otherThanPinned, revokedKey, unknownKey } from "./host-key-refusals.ts";
import { isRecordableName } from "./known-hosts-name.ts";
import type { KnownHost, KnownKey } from "./known-hosts.ts";
import type { ShownKey } from "./shown-key.ts";

/** What {@link decideHostKey} weighs. */
export interface HostKeyQuestion {
  readonly shown: ShownKey;
  readonly known: KnownHost;
  readonly policy: HostKeyPolicy;
  /** Counts where the policy is `openssh`. */
  readonly strictHostKeyChecking: SshSettings["strictHostKeyChecking"];
  /** The only key to accept; known keys do not count then, revoked ones do. */
  readonly pinnedFingerprint?: string | undefined;
  /** Whether there is a file to record a new key in: without one OpenSSH accepts none. @default true */
  readonly canRecord?: boolean | undefined;
  /** For the validity of certificates, epoch milliseconds. @default the clock */
  readonly now?: number | undefined;
}

/** Whether to go on with a host. */
export type HostKeyDecision =
  | { readonly kind: "accept" }
  /** The key is new, and the policy says to keep it. */
  | { readonly kind: "accept-and-record" }
  | { readonly kind: "refuse"; readonly error: TunnelError };

/**
 * Decides about a host key as OpenSSH 9.2 does, apart from three cases where this is stricter: with
 * `StrictHostKeyChecking no` it goes on after a changed or a revoked key, it forgets on other ports
 * what is revoked for the bare host name, and it records names that are patterns.
 *
 * A host that is known only by keys of other types counts as changed, as with OpenSSH: whoever sits
 * in between could choose a type that is not known.
 */
export function decideHostKey(question: HostKeyQuestion): HostKeyDecision {
  const { shown, known, pinnedFingerprint } = question;
  const revoked = known.revoked.find(({ blob }) => isShownOrItsAuthority(blob, shown));
  if (revoked !== undefined) return refuse(revokedKey(shown, revoked));

  if (pinnedFingerprint !== undefined) {
    const pinned = parseFingerprint(pinnedFingerprint);
    if (isSameFingerprint(pinned, shown.fingerprint)) return { kind: "accept" };
    return refuse(otherThanPinned(shown, pinned));
  }

  const fault = faultOfCertificate(question);
  if (shown.certificate !== undefined && fault === undefined) return { kind: "accept" };
  if (holds(known.keys, shown)) return { kind: "accept" };
  if (known.keys.length > 0) return refuse(changedKey(shown, known.keys));
  if (holds(known.withoutPort.keys, shown)) return { kind: "accept" };
  const obstacle = acceptsNew(question) ? obstacleToRecording(question) : undefined;
  return acceptsNew(question) && obstacle === undefined
    ? { kind: "accept-and-record" }
    : refuse(unknownKey(shown, { fault, obstacle }));
}

function isShownOrItsAuthority(blob: Buffer, { blob: own, certificate }: ShownKey): boolean {
  return blob.equals(own) || (certificate !== undefined && blob.equals(certificate.authority));
}

function faultOfCertificate({
  shown: { certificate },
  known: { authorities, withoutPort, name },
  now = Date.now(),
}: HostKeyQuestion): string | undefined {
  if (certificate === undefined) return undefined;
  return certificateFault(certificate, {
    principal: name.principal,
    authorities: [...authorities, ...withoutPort.authorities],
    now,
  });
}

function holds(keys: readonly KnownKey[], { blob }: ShownKey): boolean {
  return keys.some((key) => key.blob.equals(blob));
}

function acceptsNew({ policy, strictHostKeyChecking }: HostKeyQuestion): boolean {
  if (policy !== "openssh") return policy === "accept-new";
  return strictHostKeyChecking !== "yes" && strictHostKeyChecking !== "ask";
}

/** Why a new key cannot be kept; then it would be new each time, and is refused like with OpenSSH. */
function obstacleToRecording({ known, canRecord = true }: HostKeyQuestion): string | undefined {
  if (!canRecord) return "there is no known_hosts file to record it in";
  if (!isRecordableName(known.name.display)) return "known_hosts cannot hold that name";
  return undefined;
}

function refuse(error: TunnelError): HostKeyDecision {
  return { kind: "refuse", error };
}
