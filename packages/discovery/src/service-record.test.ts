import { expect, test } from "vitest";
import { serviceRecord } from "./service-record.ts";

const facts = { displayName: "Studio", hostLabel: "openclaw", port: 18_789 };
const none = { names: 0, hosts: 0 };

test("the least that is said of a Gateway: role, transport, port, host and name", () => {
  expect(serviceRecord(facts, none)).toEqual({
    name: "Studio (OpenClaw)",
    host: "openclaw.local",
    port: 18_789,
    txt: {
      role: "gateway",
      transport: "gateway",
      gatewayPort: "18789",
      lanHost: "openclaw.local",
      displayName: "Studio",
    },
  });
});

test("TLS, canvas, tailnet and SSH are said where there is something to say", () => {
  const { txt } = serviceRecord(
    {
      ...facts,
      tls: { fingerprint: "AB:CD" },
      canvasPort: 18_793,
      tailnetDns: "studio.tail.ts.net",
      ssh: { port: 2222, cliPath: "/usr/bin/openclaw" },
    },
    none,
  );
  expect(txt).toMatchObject({
    gatewayTls: "1",
    gatewayTlsSha256: "AB:CD",
    canvasPort: "18793",
    tailnetDns: "studio.tail.ts.net",
    sshPort: "2222",
    cliPath: "/usr/bin/openclaw",
  });
});

test("names that are taken get numbers, of the instance and of the host apart", () => {
  const { name, host, txt } = serviceRecord(facts, { names: 1, hosts: 2 });
  expect(name).toBe("Studio (2) (OpenClaw)");
  expect(host).toBe("openclaw-3.local");
  expect(txt).toMatchObject({ displayName: "Studio (2)", lanHost: "openclaw-3.local" });
});

test("a name with dots and one that is too long become one label", () => {
  expect(serviceRecord({ ...facts, displayName: "a.b.c" }, none).name).toBe("a-b-c (OpenClaw)");
  const { name } = serviceRecord({ ...facts, displayName: "ü".repeat(60) }, { names: 9, hosts: 0 });
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
  expect(name.endsWith("ü (10) (OpenClaw)")).toBe(true);
});

test("a text that no TXT record can hold is left out", () => {
  const cliPath = `/${"x".repeat(255)}`;
  const { txt } = serviceRecord({ ...facts, ssh: { port: 22, cliPath } }, none);
  expect(txt).not.toHaveProperty("cliPath");
  expect(txt).toMatchObject({ sshPort: "22" });
});
