import { expect, test } from "vitest";
import type { AgentKey } from "./agent.ts";
import {
  agentSignsAtOnce,
  type CandidateSources,
  orderCandidates,
  sourceOf,
} from "./candidates.ts";
import type { Certificate } from "./certificate.ts";
import type { CertificateFile, IdentityFile } from "./identity-file.ts";
import { findShortcomings } from "./shortcomings.ts";
import { wireStrings } from "./wire-format.ts";

const ED25519 = "ssh-ed25519";
const CERTIFICATE = "ssh-ed25519-cert-v01@openssh.com";
const FAULT = { file: "x", message: "does not exist", hint: undefined };

const blobOf = (name: string, type = ED25519): Buffer => wireStrings(type, name);

function agentKey(name: string, type = ED25519): AgentKey {
  return { type, blob: blobOf(name, type), certificate: undefined };
}

function certificate(name: string, isForUsers = true): Certificate {
  return {
    type: CERTIFICATE,
    blob: blobOf(name, CERTIFICATE),
    keyBlob: blobOf(name),
    keyId: name,
    isForUsers,
    validAfter: 0n,
    validBefore: 2n ** 64n - 1n,
  };
}

function agentCertificate(name: string): AgentKey {
  const made = certificate(name);
  return { type: made.type, blob: made.blob, certificate: made };
}

function identity(name: string, own: Partial<IdentityFile> = {}): IdentityFile {
  return {
    path: `/keys/${name}`,
    label: `/keys/${name}`,
    publicKey: { type: ED25519, blob: blobOf(name) },
    certificates: [],
    privateText: Buffer.from(name),
    isEncrypted: false,
    isSecurityKey: false,
    isMissing: false,
    isPublicOnly: false,
    fault: undefined,
    ...own,
  };
}

const publicOnly = { privateText: undefined, isPublicOnly: true, fault: FAULT };

function beside(name: string): CertificateFile {
  return { path: `/keys/${name}-cert.pub`, certificate: certificate(name) };
}

function sources(own: Partial<CandidateSources>): CandidateSources {
  return {
    identities: [],
    certificates: [],
    agentKeys: [],
    identitiesOnly: false,
    hasOwnIdentity: true,
    ...own,
  };
}

/** `agent:name`, `agent-cert:name`, `file:name` or `file-cert:name`, by what signs. */
function order(own: Partial<CandidateSources>): string[] {
  const names = ["a", "b", "c", "d"];
  return orderCandidates(sources(own)).map(({ publicKey, source }) => {
    const type = publicKey?.type ?? ED25519;
    const name = names.find((each) => publicKey?.blob.equals(blobOf(each, type)));
    return `${source.kind}${type === CERTIFICATE ? "-cert" : ""}:${name}`;
  });
}

test("keys come as ssh offers them", () => {
  const identities = [
    identity("a"),
    identity("b", publicOnly),
    identity("c", { certificates: [beside("c")] }),
  ];
  const certificates = [{ path: "/keys/work.pub", certificate: certificate("a") }];
  const agentKeys = [agentKey("d"), agentKey("b")];

  expect(order({ identities, certificates, agentKeys })).toEqual([
    "file-cert:a",
    "file-cert:c",
    "agent:b",
    "agent:d",
    "file:a",
    "file:c",
  ]);
});

test("agent keys follow the order of the identities, each after its certificate", () => {
  const identities = [identity("b", publicOnly), identity("a")];
  const agentKeys = [
    agentKey("a"),
    agentKey("c"),
    agentKey("b"),
    agentCertificate("c"),
    agentCertificate("a"),
  ];

  expect(order({ identities, agentKeys })).toEqual([
    "agent:b",
    "agent-cert:a",
    "agent:a",
    "agent-cert:c",
    "agent:c",
  ]);
  expect(order({ identities, agentKeys, identitiesOnly: true })).toEqual([
    "agent:b",
    "agent-cert:a",
    "agent:a",
  ]);
});

test("the same key or certificate from several places is offered once", () => {
  const identities = [
    identity("a", { certificates: [beside("a")] }),
    identity("a", { path: "/keys/copy" }),
  ];
  const certificates = [beside("a")];

  expect(order({ identities, certificates })).toEqual(["file-cert:a", "file:a"]);
  expect(order({ identities, agentKeys: [agentKey("a"), agentCertificate("a")] })).toEqual([
    "agent-cert:a",
    "agent:a",
  ]);
});

test("certificates of hosts, and of keys that are not here, are left out", () => {
  const certificates = [
    { path: "/keys/host.pub", certificate: certificate("a", false) },
    { path: "/keys/stranger.pub", certificate: certificate("d") },
  ];

  expect(order({ identities: [identity("a")], certificates })).toEqual(["file:a"]);
});

test("files whose key only the passphrase tells are all offered", () => {
  const closed = { publicKey: undefined, isEncrypted: true };
  const identities = [identity("a", closed), identity("b", closed)];

  expect(orderCandidates(sources({ identities })).map(({ label }) => label)).toEqual([
    "key /keys/a",
    "key /keys/b",
  ]);
});

test("a certificate in the agent can sign for its key", () => {
  const held = agentCertificate("a");
  const source = sourceOf(blobOf("a"), sources({ agentKeys: [held] }));

  expect(source).toEqual({ kind: "agent", keyBlob: held.blob });
});

test("the agent is asked at once only for keys that are named and want no touch", () => {
  const agentKeys = [agentKey("a"), agentKey("b"), agentKey("c", "sk-ssh-ed25519@openssh.com")];
  const token = {
    publicKey: { type: agentKeys[2]?.type ?? "", blob: agentKeys[2]?.blob ?? Buffer.of() },
  };
  const identities = [identity("a", publicOnly), identity("c", { ...publicOnly, ...token })];
  const atOnce = (hasOwnIdentity: boolean): boolean[] =>
    orderCandidates(sources({ identities, agentKeys, hasOwnIdentity })).map(agentSignsAtOnce);

  expect(atOnce(true)).toEqual([true, false, false]);
  expect(atOnce(false)).toEqual([false, false, false]);
});

test("what cannot sign is a shortcoming, unless the agent can", () => {
  const identities = [
    identity("a"),
    identity("b", publicOnly),
    identity("c", publicOnly),
    identity("d", { ...publicOnly, isSecurityKey: true }),
  ];
  const found = findShortcomings(sources({ identities, agentKeys: [agentKey("b")] }), [
    FAULT,
    { path: "/keys/host.pub", certificate: certificate("a", false) },
    { path: "/keys/stranger.pub", certificate: certificate("c") },
    { path: "/keys/b-cert.pub", certificate: certificate("b") },
  ]);

  expect(found.identities.map(({ path }) => path)).toEqual(["/keys/c", "/keys/d"]);
  expect(found.securityKey?.path).toBe("/keys/d");
  expect(found.certificateFaults.map(({ message }) => message)).toEqual([
    "does not exist",
    "certifies a host and no user",
    "certifies a key that is not here",
  ]);
});
