import type { AgentKey } from "./agent.ts";
import { type Certificate, invalidityOf } from "./certificate.ts";
import { type CertificateFile, type IdentityFile, labelOf } from "./identity-file.ts";
import { fingerprintOf, isSecurityKeyType, type PublicKey, shortTypeOf } from "./public-key.ts";

/** What signs. */
export type KeySource =
  /** The agent, with the key or the certificate it knows under this blob. */
  | { readonly kind: "agent"; readonly keyBlob: Buffer }
  | { readonly kind: "file"; readonly identity: IdentityFile };

/** A key or a certificate to offer. */
export interface Candidate {
  /** For people: `agent ED25519 SHA256:…`, `key ~/.ssh/id_ed25519`, `certificate …`. */
  readonly label: string;
  /** undefined where the file has to be opened to know. */
  readonly publicKey: PublicKey | undefined;
  readonly source: KeySource;
  /** The user named this key for this host, so an agent may ask for a confirmation at once. */
  readonly isNamed: boolean;
}

export interface CandidateSources {
  readonly identities: readonly IdentityFile[];
  readonly certificates: readonly CertificateFile[];
  readonly agentKeys: readonly AgentKey[];
  readonly identitiesOnly: boolean;
  /** The identities are the user's own choice and not the defaults. */
  readonly hasOwnIdentity: boolean;
}

/**
 * What to offer, in the order of OpenSSH: certificates that are configured, agent keys that are
 * configured, other agent keys, and keys that only a file has. A certificate of the agent comes
 * before its key.
 */
export function orderCandidates(sources: CandidateSources): readonly Candidate[] {
  const { identities, certificates, agentKeys, identitiesOnly, hasOwnIdentity } = sources;
  const found = new Map<string, Candidate>();

  function add(candidate: Candidate): void {
    const { publicKey, source } = candidate;
    const path = source.kind === "file" ? source.identity.path : "";
    const name = publicKey ? publicKey.blob.toString("base64") : `file ${path}`;
    if (!found.has(name)) found.set(name, candidate);
  }

  function addCertificate({ path, certificate }: CertificateFile, isNamed: boolean): void {
    const source = sourceOf(certificate.keyBlob, sources);
    if (source === undefined || !certificate.isForUsers) return;
    const label = `certificate ${labelOf(path)} ${describeCertificate(certificate)}`;
    add({ label, publicKey: certificate, source, isNamed });
  }

  function addAgentKey(key: AgentKey, isNamed: boolean): void {
    for (const other of agentKeys) {
      if (other.certificate?.keyBlob.equals(key.blob)) addAgentEntry(other, isNamed);
    }
    addAgentEntry(key, isNamed);
  }

  function addAgentEntry(key: AgentKey, isNamed: boolean): void {
    const { certificate } = key;
    if (certificate && !certificate.isForUsers) return;
    const fingerprint = fingerprintOf(certificate?.keyBlob ?? key.blob);
    const label = `agent ${shortTypeOf(key.type)} ${fingerprint}${
      certificate ? ` ${describeCertificate(certificate)}` : ""
    }`;
    add({ label, publicKey: key, source: { kind: "agent", keyBlob: key.blob }, isNamed });
  }

  for (const certificate of certificates) addCertificate(certificate, true);
  for (const identity of identities) {
    for (const beside of identity.certificates) addCertificate(beside, hasOwnIdentity);
  }
  for (const { publicKey } of identities) {
    for (const key of agentKeys) {
      const keyBlob = key.certificate?.keyBlob ?? key.blob;
      if (publicKey && keyBlob.equals(publicKey.blob)) addAgentKey(key, hasOwnIdentity);
    }
  }
  for (const key of identitiesOnly ? [] : agentKeys) addAgentKey(key, false);
  for (const identity of identities) {
    const { publicKey, privateText, label } = identity;
    if (privateText === undefined) continue;
    const source = { kind: "file", identity } as const;
    add({ label: `key ${label}`, publicKey, source, isNamed: hasOwnIdentity });
  }
  return [...found.values()];
}

/** What can sign for a key: the agent if it has it, else a file. */
export function sourceOf(
  keyBlob: Buffer,
  { agentKeys, identities }: Pick<CandidateSources, "agentKeys" | "identities">,
): KeySource | undefined {
  const held =
    agentKeys.find(({ blob }) => blob.equals(keyBlob)) ??
    agentKeys.find(({ certificate }) => certificate?.keyBlob.equals(keyBlob));
  if (held) return { kind: "agent", keyBlob: held.blob };
  const identity = identities.find(
    ({ publicKey, privateText }) => privateText && publicKey?.blob.equals(keyBlob),
  );
  return identity && { kind: "file", identity };
}

/**
 * Whether the agent is asked to sign before the server is asked about the key, which saves a round
 * trip and the pause that OpenSSH makes before it answers. Not where that may bother a person for
 * nothing: a key may want a touch, or a confirmation.
 */
export function agentSignsAtOnce({ publicKey, isNamed }: Candidate): boolean {
  return isNamed && publicKey !== undefined && !isSecurityKeyType(publicKey.type);
}

function describeCertificate(certificate: Certificate): string {
  const keyId = certificate.keyId.replace(/[\p{C}]/gu, "\u{FFFD}").slice(0, 100);
  const invalidity = invalidityOf(certificate);
  return `(ID "${keyId}"${invalidity === undefined ? "" : `, ${invalidity}`})`;
}
