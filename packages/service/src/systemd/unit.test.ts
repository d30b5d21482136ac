import fc from "fast-check";
import { expect, test } from "vitest";
import type { ServiceDefinition } from "../definition/service-definition.ts";
import { parseSystemdUnit } from "./unit-reader.ts";
import { systemdUnit } from "./unit-text.ts";

const GATEWAY: ServiceDefinition = {
  kind: "gateway",
  description: "OpenClaw Gateway (profile: work, v1.2.3)",
  programArguments: ["/usr/bin/node", "/opt/openclaw/bin/openclaw.js", "gateway", "run"],
};

function unitWith(change: Partial<ServiceDefinition>): string {
  return systemdUnit({ ...GATEWAY, ...change });
}

/** Text of any kind; NUL cannot be passed to a program at all. */
const text = fc
  .string({ unit: "grapheme", maxLength: 20 })
  .filter((value) => !value.includes("\0"));
const hostile = fc
  .array(
    fc.constantFrom(
      "%",
      "%h",
      "$",
      "${A}",
      '"',
      "'",
      "\\",
      " ",
      ";",
      "#",
      "\n",
      "\t",
      "a",
      "é",
      "\u0085",
    ),
  )
  .map((parts) => parts.join(""));
const argument = fc.oneof(text, hostile);

test("a unit keeps the program in the foreground, and ends a crash loop", () => {
  expect(unitWith({ environment: { OPENCLAW_PROFILE: "work" } })).toBe(`[Unit]
Description=OpenClaw Gateway (profile: work, v1.2.3)
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=exec
ExecStart=/usr/bin/node /opt/openclaw/bin/openclaw.js gateway run
Environment=OPENCLAW_PROFILE=work
Restart=always
RestartSec=5
RestartPreventExitStatus=64 78
SuccessExitStatus=0 143
TimeoutStartSec=30
TimeoutStopSec=330
KillMode=mixed
OOMPolicy=continue

[Install]
WantedBy=default.target
`);
});

test("arguments and variables of any text are read back as they were", () => {
  fc.assert(
    fc.property(
      fc.array(argument),
      fc.dictionary(fc.stringMatching(/^[A-J_][A-J0-9_]{0,9}$/), argument),
      (args, environment) => {
        const programArguments = ["/usr/bin/node", ...args];
        const parsed = parseSystemdUnit(unitWith({ programArguments, environment }));
        expect(parsed.programArguments).toEqual(programArguments);
        expect(parsed.environment).toEqual(environment);
      },
    ),
  );
});

test("paths with spaces, quotes, percent and dollar signs are read back as they were", () => {
  const program = "/opt/a b/100%/$HOME/[x]*?/é";
  const odd = `/opt/a b/100%/"q"/$HOME/[x]*?/\\back/end`;
  const parsed = parseSystemdUnit(
    unitWith({ programArguments: [program], workingDirectory: odd, environmentFile: odd }),
  );
  expect(parsed).toMatchObject({
    programArguments: [program],
    workingDirectory: odd,
    environmentFiles: [odd],
  });
});

test.each([
  ["spaces", "a b", `"a b"`],
  ["nothing", "", `""`],
  ["a double quote", `say "hi"`, String.raw`"say \"hi\""`],
  ["a backslash", String.raw`C:\x`, String.raw`"C:\\x"`],
  ["a specifier", "100%h", "100%%h"],
  ["a variable", "${HOME}", "$${HOME}"],
  ["the end of a command", ";", `";"`],
  ["a line break", "a\nb", String.raw`"a\nb"`],
  ["the letter s", "status", "status"],
])("an argument with %s is quoted for systemd", (_name, argument, quoted) => {
  const unit = unitWith({ programArguments: ["/bin/x", argument, "end"] });
  expect(unit).toContain(`ExecStart=/bin/x ${quoted} end\n`);
});

test("a description cannot add a line, a specifier or a continuation", () => {
  const unit = unitWith({ description: "100% mine\nExecStartPre=/bin/evil \\" });
  expect(unit).toContain("Description=100%% mine ExecStartPre=/bin/evil \nAfter=");
  expect(parseSystemdUnit(unit).otherCommands).toEqual([]);
});

test("an environment file is referenced, and may be missing", () => {
  expect(unitWith({ environmentFile: "/home/me/.openclaw/service/gateway.env" })).toContain(
    "EnvironmentFile=-/home/me/.openclaw/service/gateway.env\n",
  );
});

test.each([
  ["token variable", { environment: { OPENCLAW_GATEWAY_TOKEN: "hush" } }],
  ["password variable", { environment: { clawdbot_gateway_password: "hush" } }],
  ["key variable", { environment: { OPENAI_API_KEY: "hush" } }],
  ["URL with a password", { environment: { PROXY: "http://me:hush@proxy" } }],
  ["--token flag", { programArguments: ["/bin/x", "--token", "hush"] }],
  ["--password= flag", { programArguments: ["/bin/x", "--password=hush"] }],
  ["URL with a token", { programArguments: ["/bin/x", "ws://gw/?token=hush"] }],
])("a %s is refused, and the message does not hold it", (_name, change) => {
  expect(() => unitWith(change)).toThrow(
    expect.objectContaining({
      code: "SECRET_IN_UNIT",
      message: expect.not.stringContaining("hush"),
    }),
  );
});

test("an empty variable with such a name is no secret", () => {
  expect(unitWith({ environment: { OPENCLAW_GATEWAY_TOKEN: "" } })).toContain(
    "Environment=OPENCLAW_GATEWAY_TOKEN=\n",
  );
});

test.each([
  ["a relative program", { programArguments: ["node"] }],
  ["a program with a quote", { programArguments: ["/opt/it's/node"] }],
  ["no program", { programArguments: [] }],
  ["a NUL character", { programArguments: ["/bin/x", "a\0b"] }],
  ["a variable without a name", { environment: { "": "x" } }],
  ["a variable named like two", { environment: { "A B": "x" } }],
  ["a directory with a line break", { workingDirectory: "/a\nExecStop=/b" }],
  ["a directory that ends in a backslash", { workingDirectory: "/a\\" }],
])("%s is refused", (_name, change) => {
  expect(() => unitWith(change)).toThrow(expect.objectContaining({ code: "INVALID_DEFINITION" }));
});

test("a unit made by hand is read with its comments, continuations, resets and hooks", () => {
  const parsed = parseSystemdUnit(`
# tunnel of mine
[Unit]
Description=My tunnel
After=network.target \\
# in between
  ssh-agent.service

[Service]
Environment=A=1 "B=two words" 'C=%h'
Environment=
Environment=D=4
ExecStartPre=-/bin/sh -c 'lsof -ti :18789 | xargs kill -9'
ExecStart=-/usr/bin/ssh -N \\
  -L 18789:127.0.0.1:18789 box ; /bin/true
Restart=on-failure
RestartSec=5s

[Install]
WantedBy=default.target
`);
  expect(parsed).toEqual({
    supervisor: "systemd",
    description: "My tunnel",
    programArguments: ["/usr/bin/ssh", "-N", "-L", "18789:127.0.0.1:18789", "box"],
    otherCommands: [["/bin/true"], ["/bin/sh", "-c", "lsof -ti :18789 | xargs kill -9"]],
    workingDirectory: undefined,
    environment: { D: "4" },
    environmentFiles: [],
    restart: "on-failure",
    restartSeconds: 5,
    runsAtLogin: true,
    type: "simple",
    after: ["network.target", "ssh-agent.service"],
    wants: [],
  });
});

test("what is no unit file is told apart from an empty service", () => {
  for (const text of ["", "hello", "Key=before any section", "<plist/>"]) {
    expect(() => parseSystemdUnit(text)).toThrow(
      expect.objectContaining({ code: "UNREADABLE_DEFINITION" }),
    );
  }
  expect(parseSystemdUnit("[Service]\n").programArguments).toEqual([]);
});
