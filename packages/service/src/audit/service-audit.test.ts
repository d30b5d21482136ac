import { expect, test } from "vitest";
import type { ParsedService } from "../definition/parsed-service.ts";
import { parseSystemdUnit } from "../systemd/unit-reader.ts";
import { type AuditOptions, auditService } from "./service-audit.ts";

const SOUND: ParsedService = {
  supervisor: "systemd",
  programArguments: ["/usr/bin/node", "/opt/openclaw.js", "gateway", "run"],
  otherCommands: [],
  workingDirectory: undefined,
  environment: { PATH: "/usr/local/bin:/usr/bin:/bin" },
  environmentFiles: [],
  restart: "always",
  restartSeconds: 5,
  runsAtLogin: true,
  type: "exec",
  after: ["network-online.target"],
  wants: ["network-online.target"],
};

function codes(change: Partial<ParsedService>, options?: AuditOptions): string[] {
  return auditService("gateway", { ...SOUND, ...change }, options).map(({ code }) => code);
}

test.each<[string, Partial<ParsedService>, AuditOptions, string[]]>([
  ["a sound unit", {}, { entrypoint: "/opt/openclaw.js" }, []],
  [
    "no gateway in the command",
    { programArguments: ["/usr/bin/node", "/x.js"] },
    {},
    ["gateway-command-missing"],
  ],
  ["no command", { programArguments: [] }, {}, ["gateway-command-missing"]],
  ["another installation", {}, { entrypoint: "/new.js" }, ["gateway-entrypoint-mismatch"]],
  [
    "options of node before the entry point",
    {
      programArguments: ["/usr/bin/node", "--env-file-if-exists=/x", "/opt/openclaw.js", "gateway"],
    },
    { entrypoint: "/opt/openclaw.js" },
    [],
  ],
  ["no PATH", { environment: {} }, {}, ["gateway-path-missing"]],
  [
    "a PATH without system folders",
    { environment: { PATH: "/usr/bin" } },
    {},
    ["gateway-path-missing-dirs"],
  ],
  [
    "a PATH of a version manager",
    { environment: { PATH: "/home/me/.nvm/versions/node/v24/bin:/usr/local/bin:/usr/bin:/bin" } },
    {},
    ["gateway-path-nonminimal"],
  ],
  [
    "bun",
    { programArguments: ["/home/me/.bun/bin/bun", "/x.js", "gateway"] },
    {},
    ["gateway-runtime-bun"],
  ],
  [
    "a Node of nvm",
    { programArguments: ["/home/me/.nvm/versions/node/v24/bin/node", "/x.js", "gateway"] },
    { hasSystemNode: true },
    ["gateway-runtime-node-version-manager"],
  ],
  [
    "a Node of volta, and no other",
    { programArguments: ["/home/me/.volta/bin/node", "/x.js", "gateway"] },
    { hasSystemNode: false },
    ["gateway-runtime-node-version-manager", "gateway-runtime-node-system-missing"],
  ],
  [
    "no order after the network",
    { after: ["network.target"] },
    {},
    ["systemd-after-network-online"],
  ],
  ["no wish for the network", { wants: [] }, {}, ["systemd-wants-network-online"]],
  ["no restart", { restart: "never" }, {}, ["systemd-restart-sec"]],
  ["a restart without a pause", { restartSeconds: undefined }, {}, ["systemd-restart-sec"]],
  [
    "a token in the unit",
    { environment: { ...SOUND.environment, OPENCLAW_GATEWAY_TOKEN: "hush" } },
    {},
    ["service-secret-embedded"],
  ],
])("%s is judged", (_name, change, options, expected) => {
  expect(codes(change, options)).toEqual(expected);
});

test("a wrong command is the one thing whose cure takes a decision away", () => {
  const [issue] = auditService("gateway", { ...SOUND, programArguments: ["/bin/x"] });
  expect(issue?.level).toBe("aggressive");
});

test("a node and a tunnel need no gateway in their command, and no PATH of their own", () => {
  const other = { ...SOUND, programArguments: ["/usr/bin/node", "/x.js", "node"], environment: {} };
  expect(auditService("node", other)).toEqual([]);
  expect(auditService("tunnel", other)).toEqual([]);
});

test("the unit of the well-known tutorial is judged", () => {
  const tutorial = parseSystemdUnit(
    `[Unit]\nDescription=Clawdbot Gateway\nAfter=network.target\n[Service]\nType=simple\nUser=me\nExecStart=/usr/bin/clawdbot gateway start\nRestart=on-failure\nRestartSec=5s\nEnvironment="CLAWDBOT_GATEWAY_PASSWORD=hush"\n[Install]\nWantedBy=multi-user.target\n`,
  );
  const issues = auditService("gateway", tutorial);
  expect(issues.map(({ code }) => code)).toEqual([
    "gateway-path-missing",
    "service-secret-embedded",
    "systemd-after-network-online",
    "systemd-wants-network-online",
  ]);
  expect(JSON.stringify(issues)).not.toContain("hush");
});
