import fc from "fast-check";
import { expect, test } from "vitest";
import { overrideNames, serviceNames, type ServiceKind } from "./service-names.ts";

test.each([
  [
    "gateway",
    undefined,
    undefined,
    "ai.openclaw.gateway",
    "openclaw-gateway.service",
    "OpenClaw Gateway",
  ],
  [
    "gateway",
    "default",
    undefined,
    "ai.openclaw.gateway",
    "openclaw-gateway.service",
    "OpenClaw Gateway",
  ],
  [
    "gateway",
    "work",
    undefined,
    "ai.openclaw.work",
    "openclaw-gateway-work.service",
    "OpenClaw Gateway (work)",
  ],
  [
    "gateway",
    "dev",
    undefined,
    "ai.openclaw.dev",
    "openclaw-gateway-dev.service",
    "OpenClaw Gateway (dev)",
  ],
  ["node", undefined, undefined, "ai.openclaw.node", "openclaw-node.service", "OpenClaw Node"],
  [
    "node",
    "work",
    undefined,
    "ai.openclaw.node.work",
    "openclaw-node-work.service",
    "OpenClaw Node (work)",
  ],
  [
    "tunnel",
    undefined,
    undefined,
    "ai.openclaw.ssh-tunnel",
    "openclaw-ssh-tunnel.service",
    "OpenClaw SSH Tunnel",
  ],
  [
    "tunnel",
    undefined,
    "box",
    "ai.openclaw.ssh-tunnel.box",
    "openclaw-ssh-tunnel-box.service",
    "OpenClaw SSH Tunnel (box)",
  ],
  [
    "tunnel",
    "work",
    undefined,
    "ai.openclaw.ssh-tunnel.work.default",
    "openclaw-ssh-tunnel-work.default.service",
    "OpenClaw SSH Tunnel (work.default)",
  ],
  [
    "tunnel",
    "work",
    "box",
    "ai.openclaw.ssh-tunnel.work.box",
    "openclaw-ssh-tunnel-work.box.service",
    "OpenClaw SSH Tunnel (work.box)",
  ],
] as const)(
  "a %s of profile %s and name %s is %s",
  (kind, profile, name, launchdLabel, systemdUnit, windowsTask) => {
    expect(serviceNames(kind, profile, name)).toMatchObject({
      launchdLabel,
      systemdUnit,
      windowsTask,
    });
  },
);

test("scripts and logs carry the kind, since a profile has its own directory", () => {
  expect(serviceNames("gateway", "work")).toMatchObject({
    scriptName: "gateway.cmd",
    logPrefix: "gateway",
  });
  expect(serviceNames("node")).toMatchObject({ scriptName: "node.cmd", logPrefix: "node" });
  expect(serviceNames("tunnel", "work", "box")).toMatchObject({
    scriptName: "ssh-tunnel-box.cmd",
    logPrefix: "ssh-tunnel-box",
  });
});

test("no two services share a name, whatever their profiles are called", () => {
  const word = fc.constantFrom(
    "gateway",
    "node",
    "ssh-tunnel",
    "default",
    "a",
    "b",
    "ssh-tunnel-a",
    "a-b",
  );
  const service = fc.record({
    kind: fc.constantFrom<ServiceKind>("gateway", "node", "tunnel"),
    profile: word,
    name: word,
  });
  const namesOf = ({ kind, profile, name }: { kind: ServiceKind; profile: string; name: string }) =>
    serviceNames(kind, profile, kind === "tunnel" ? name : undefined);
  const identity = ({
    kind,
    profile,
    name,
  }: {
    kind: ServiceKind;
    profile: string;
    name: string;
  }) => [kind, profile, kind === "tunnel" ? name : "-"].join("/");
  fc.assert(
    fc.property(service, service, (one, other) => {
      fc.pre(identity(one) !== identity(other));
      const [a, b] = [namesOf(one), namesOf(other)];
      expect(a.launchdLabel).not.toBe(b.launchdLabel);
      expect(a.systemdUnit).not.toBe(b.systemdUnit);
      expect(a.windowsTask).not.toBe(b.windowsTask);
    }),
    { numRuns: 2_000 },
  );
});

test.each(["", "a b", "../x", "-x", "a.b", "x".repeat(65)])("%j is no profile", (profile) => {
  expect(() => serviceNames("gateway", profile)).toThrow(
    expect.objectContaining({ code: "INVALID_NAME" }),
  );
});

test("a gateway has no name besides its profile", () => {
  expect(() => serviceNames("gateway", undefined, "box")).toThrow("no name of its own");
});

test("names can be replaced, but not by a path", () => {
  const names = serviceNames("gateway");
  expect(
    overrideNames(names, { systemdUnit: "mine", launchdLabel: " ", windowsTask: undefined }),
  ).toEqual({
    ...names,
    systemdUnit: "mine.service",
  });
  for (const overrides of [
    { systemdUnit: "../mine" },
    { launchdLabel: "a/b" },
    { windowsTask: "\\Microsoft\\x" },
    { scriptName: "..\\x.cmd" },
    { logPrefix: "../../x" },
  ]) {
    expect(() => overrideNames(names, overrides)).toThrow(
      expect.objectContaining({ code: "INVALID_NAME" }),
    );
  }
});
