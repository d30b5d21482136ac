import { expect, test } from "vitest";
import { AgentFailure } from "./agent-client.ts";
import { authenticationFailure, type Evidence } from "./authentication-failure.ts";
import type { IdentityFile } from "./identity-file.ts";

const nothing: Evidence = {
  user: "me",
  host: "box",
  tried: [],
  skipped: [],
  offered: ["publickey"],
  unsigned: undefined,
  locked: undefined,
  unopened: undefined,
  namedFaults: [],
  otherFaults: [],
  awaitsAgent: false,
  agentFailure: undefined,
  isAgentMaybeLocked: false,
  needsSystemSsh: undefined,
  isPasswordExpired: false,
  hasIdentity: false,
};

const encrypted: IdentityFile = {
  path: "/keys/id",
  label: "~/id",
  publicKey: undefined,
  certificates: [],
  privateText: Buffer.alloc(0),
  isEncrypted: true,
  isSecurityKey: false,
  isMissing: false,
  isPublicOnly: false,
  fault: undefined,
};
const fault = { file: "/keys/other", message: "does not exist", hint: "Make it." };
const silent = new AgentFailure("silent", "no answer within 3000 ms");
const unreachable = new AgentFailure("unreachable", "no agent answers at /tmp/agent");
const refusal = new AgentFailure("refused", "the agent refused to sign");

test.each<[string, Partial<Evidence>, string]>([
  ["nothing at all", {}, "AUTHENTICATION_REFUSED"],
  ["refused keys", { tried: ["key ~/id"] }, "AUTHENTICATION_REFUSED"],
  ["an accepted key that the agent did not sign", { unsigned: refusal }, "AGENT_LOCKED"],
  ["an accepted key that nobody opened", { locked: encrypted }, "IDENTITY_LOCKED"],
  ["a key that had to be opened first", { unopened: encrypted }, "IDENTITY_LOCKED"],
  [
    "the same with an agent that may be locked",
    { locked: encrypted, isAgentMaybeLocked: true },
    "AGENT_LOCKED",
  ],
  [
    "a named file with a fault",
    { namedFaults: [fault], tried: ["key ~/id"] },
    "IDENTITY_UNREADABLE",
  ],
  [
    "a named file beside an accepted key that nobody opened",
    { namedFaults: [fault], locked: encrypted },
    "IDENTITY_LOCKED",
  ],
  [
    "a named file beside a key that had to be opened",
    { namedFaults: [fault], unopened: encrypted },
    "IDENTITY_UNREADABLE",
  ],
  ["a default file with a fault and nothing else", { otherFaults: [fault] }, "IDENTITY_UNREADABLE"],
  [
    "a default file with a fault beside others",
    { otherFaults: [fault], tried: ["key ~/id"] },
    "AUTHENTICATION_REFUSED",
  ],
  ["an agent that is silent", { agentFailure: silent, tried: ["key ~/id"] }, "AGENT_LOCKED"],
  ["a left-over of an agent", { agentFailure: unreachable }, "AUTHENTICATION_REFUSED"],
  ["an agent that may be locked, and nothing else", { isAgentMaybeLocked: true }, "AGENT_LOCKED"],
  [
    "an agent that may be locked, and refused keys",
    { isAgentMaybeLocked: true, tried: ["key ~/id"] },
    "AUTHENTICATION_REFUSED",
  ],
  [
    "a public key whose agent may be locked",
    { isAgentMaybeLocked: true, awaitsAgent: true, namedFaults: [fault] },
    "AGENT_LOCKED",
  ],
])("%s is told as what would have to change", (_, evidence, code) => {
  expect(authenticationFailure({ ...nothing, ...evidence })).toMatchObject({
    code,
    details: { stage: "authentication", offered: ["publickey"] },
  });
});

test.each<[string, Partial<Evidence>, string]>([
  ["no key", {}, "ssh-keygen"],
  ["an unknown key", { tried: ["key ~/id"], hasIdentity: true }, "ssh-copy-id me@box"],
  ["too many keys", { tried: ["1", "2", "3", "4", "5"] }, "IdentitiesOnly"],
  ["a server without keys", { offered: ["password"] }, "takes no keys"],
  ["a security key", { needsSystemSsh: "~/id_sk is a security key" }, 'engine "system": ~/id_sk'],
  ["an expired password", { isPasswordExpired: true }, "change it"],
  ["an agent that is gone", { tried: ["1"], agentFailure: unreachable }, "cannot be reached"],
  ["a file with a cure", { namedFaults: [fault] }, "Make it."],
  ["a key that nobody opened", { locked: encrypted }, "ssh-add ~/id"],
])("%s comes with a hint", (_, evidence, hint) => {
  expect(authenticationFailure({ ...nothing, ...evidence }).hint).toContain(hint);
});

test("the message names what was tried, what could not be offered, and what is accepted", () => {
  const { message } = authenticationFailure({
    ...nothing,
    tried: ["agent RSA SHA256:x", "key ~/id"],
    skipped: ["key ~/id_rsa (its algorithms are not allowed)"],
    offered: ["publickey", "password"],
  });

  expect(message).toBe(
    "the server refuses me on box: tried agent RSA SHA256:x, key ~/id; " +
      "could not offer key ~/id_rsa (its algorithms are not allowed); it accepts publickey, password.",
  );
});
