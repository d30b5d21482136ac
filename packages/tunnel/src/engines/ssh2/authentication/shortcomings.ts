import { type CandidateSources, sourceOf } from "./candidates.ts";
import {
  type CertificateFile,
  type FileFault,
  type IdentityFile,
  isFileFault,
} from "./identity-file.ts";

/** What is not as it was meant to be, and shows only when nothing else lets in. */
export interface Shortcomings {
  /** Identities that can sign neither by themselves nor through the agent. */
  readonly identities: readonly IdentityFile[];
  /** Of the certificates that ssh_config names. */
  readonly certificateFaults: readonly FileFault[];
  /** A key that lives in a hardware token, and no agent has it. */
  readonly securityKey: IdentityFile | undefined;
}

/** @param certificates what became of each CertificateFile */
export function findShortcomings(
  sources: Pick<CandidateSources, "agentKeys" | "identities">,
  certificates: readonly (CertificateFile | FileFault)[],
): Shortcomings {
  const identities = sources.identities.filter(
    ({ publicKey, privateText }) =>
      privateText === undefined && !(publicKey && sourceOf(publicKey.blob, sources)),
  );
  return {
    identities,
    certificateFaults: certificates.flatMap((file) => faultOf(file) ?? []),
    securityKey: identities.find(({ isSecurityKey }) => isSecurityKey),
  };

  function faultOf(file: CertificateFile | FileFault): FileFault | undefined {
    if (isFileFault(file)) return file;
    const { path, certificate } = file;
    if (!certificate.isForUsers) {
      return { file: path, message: "certifies a host and no user", hint: undefined };
    }
    if (sourceOf(certificate.keyBlob, sources) !== undefined) return undefined;
    return { file: path, message: "certifies a key that is not here", hint: undefined };
  }
}
