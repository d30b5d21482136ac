import { expect, test } from "vitest";
import { parseLaunchdPlist } from "../launchd/plist-reader.ts";
import { parseSystemdUnit } from "../systemd/unit-reader.ts";
import { findSshCommands } from "./ssh-arguments.ts";
import { auditTunnelService, type TunnelAuditOptions } from "./tunnel-audit.ts";

function agent(label: string, words: readonly string[], keepAlive = true) {
  return parseLaunchdPlist(`<plist version="1.0"><dict>
    <key>Label</key><string>${label}</string>
    <key>ProgramArguments</key><array>${words.map((word) => `<string>${word.replaceAll("&", "&amp;")}</string>`).join("")}</array>
    <key>RunAtLoad</key><true/><key>KeepAlive</key><${keepAlive}/></dict></plist>`);
}

function unit(lines: string) {
  return parseSystemdUnit(
    `[Unit]\nAfter=network.target\n[Service]\n${lines}\n[Install]\nWantedBy=default.target\n`,
  );
}

function codes(service: Parameters<typeof auditTunnelService>[0], options?: TunnelAuditOptions) {
  return auditTunnelService(service, options).map(({ code }) => code);
}

const SOUND = [
  "-o",
  "ExitOnForwardFailure=yes",
  "-o",
  "ServerAliveInterval=15",
  "-o",
  "BatchMode=yes",
];

test("the tutorial's launch agent is found to fork under KeepAlive, and the cure is named", () => {
  const [finding] = auditTunnelService(
    agent("com.clawdbot.ssh-tunnel", ["/usr/bin/ssh", "-N", "-f", "clawdbot-remote"]),
  );
  expect(finding).toMatchObject({
    code: "tunnel-forks-under-supervision",
    level: "broken",
    explanation: expect.stringContaining("Address already in use"),
    cure: expect.stringContaining("Remove -f"),
  });
});

test("the tutorial's systemd unit forwards nothing without saying so", () => {
  const tutorial = unit(
    "Type=simple\nExecStart=/usr/bin/ssh -N clawdbot-remote\nRestart=on-failure\nRestartSec=5s",
  );
  expect(codes(tutorial)).toEqual([
    "tunnel-without-exit-on-forward-failure",
    "tunnel-without-keepalive",
    "tunnel-may-prompt",
  ]);
});

test.each([
  ["-f", ["-f", "-N", "box"]],
  ["-fN", ["-fN", "box"]],
  ["-Nf", ["-Nf", "box"]],
  ["-NfL with a forward", ["-NfL", "1:a:2", "box"]],
  ["-f behind the host's options", ["-p", "22", "-N", "-f", "box"]],
  ["the option", ["-o", "ForkAfterAuthentication=yes", "-N", "box"]],
  ["the option in one word", ["-oForkAfterAuthentication=yes", "-N", "box"]],
  ["the option with a space", ["-o", "ForkAfterAuthentication yes", "-N", "box"]],
])("ssh that forks by %s is found in each supervisor", (_name, words) => {
  const line = words.map((word) => `"${word}"`).join(" ");
  expect(codes(agent("x", ["ssh", ...words]))).toContain("tunnel-forks-under-supervision");
  expect(codes(unit(`ExecStart=/usr/bin/ssh ${line}\nRestart=always`))).toContain(
    "tunnel-forks-under-supervision",
  );
  expect(codes(unit(`ExecStart=/usr/bin/ssh ${line}`))).toContain("tunnel-forks-under-supervision");
});

test.each([
  ["autossh", ["/usr/bin/autossh", "-M", "0", "-f", "-N", "box"]],
  ["a shell's ssh", ["/bin/sh", "-c", "sleep 5 && exec ssh -f -N box"]],
  ["Windows' ssh", [String.raw`C:\Windows\System32\OpenSSH\ssh.exe`, "-fN", "box"]],
])("%s is looked into", (_name, words) => {
  expect(codes(agent("x", words))).toContain("tunnel-forks-under-supervision");
});

test.each([
  ["-F, a file", ["-F", "f", "-N", "box"]],
  ["-i, a key", ["-i", "~/.ssh/f", "-N", "box"]],
  ["-if, a key", ["-if", "-N", "box"]],
  ["the remote command's -f", ["box", "tail", "-f", "log"]],
  ["ForkAfterAuthentication=no", ["-o", "ForkAfterAuthentication=no", "box"]],
  ["what stands behind --", ["--", "box", "-f"]],
])("%s is not taken for -f", (_name, words) => {
  expect(codes(agent("x", ["ssh", ...words]))).not.toContain("tunnel-forks-under-supervision");
});

test("ssh may fork where that is expected, or where nobody starts it again", () => {
  expect(codes(unit("Type=forking\nExecStart=/usr/bin/ssh -fN box\nRestart=always"))).not.toContain(
    "tunnel-forks-under-supervision",
  );
  expect(codes(agent("x", ["ssh", "-fN", "box"], false))).not.toContain(
    "tunnel-forks-under-supervision",
  );
});

test("a sound tunnel has nothing to be said about, also when ssh_config makes it so", () => {
  expect(codes(agent("x", ["/usr/bin/ssh", "-N", ...SOUND, "box"]))).toEqual([]);
  const hostSettings = (): Map<string, string> =>
    new Map([
      ["exitonforwardfailure", "yes"],
      ["serveraliveinterval", "60"],
      ["batchmode", "yes"],
    ]);
  expect(codes(agent("x", ["/usr/bin/ssh", "-N", "box"]), { hostSettings })).toEqual([]);
});

test("two agents on one port are found, by forward, by alias and by ssh_config", () => {
  const tunnel = (label: string, ...words: string[]) =>
    agent(label, ["ssh", "-N", ...SOUND, ...words]);
  const forward = tunnel("one", "-L", "18789:127.0.0.1:18789", "box");
  const bound = tunnel("two", "-L", "127.0.0.1:18789:[::1]:18789", "other");
  const [finding] = auditTunnelService(forward, { others: [bound, forward] });
  expect(finding).toMatchObject({
    code: "tunnel-port-taken-twice",
    explanation: expect.stringContaining("two opens port 18789 as well"),
  });
  const other = tunnel("three", "-L", "18790:127.0.0.1:18789", "box");
  expect(codes(forward, { others: [other] })).toEqual([]);
  const alias = tunnel("four", "remote-gateway");
  expect(codes(alias, { others: [tunnel("five", "remote-gateway")] })).toEqual([
    "tunnel-port-taken-twice",
  ]);
  expect(codes(alias, { others: [forward] })).toEqual([]);
  const hostPorts = (host: string): number[] => (host === "remote-gateway" ? [18_789] : []);
  expect(codes(alias, { others: [forward], hostPorts })).toEqual(["tunnel-port-taken-twice"]);
});

test.each([
  ["lsof and xargs kill", `ExecStartPre=/bin/sh -c 'lsof -ti :18789 | xargs kill -9'`],
  ["kill with lsof inside", `ExecStartPre=/bin/sh -c 'kill -9 $(lsof -ti:18789)'`],
  ["fuser -k", "ExecStartPre=/usr/bin/fuser -k 18789/tcp"],
  ["pkill ssh", "ExecStartPre=-/usr/bin/pkill -f 'ssh -N'"],
  ["killall ssh", "ExecStartPre=-/usr/bin/killall ssh"],
])("ending whoever holds the port with %s is found", (_name, line) => {
  const service = unit(`${line}\nExecStart=/usr/bin/ssh -N ${SOUND.join(" ")} box\nRestart=always`);
  expect(codes(service)).toEqual(["tunnel-kills-port-holder"]);
});

test("looking who holds the port is no offence", () => {
  const service = unit(
    `ExecStartPre=/usr/bin/lsof -i :18789\nExecStart=/usr/bin/ssh -N ${SOUND.join(" ")} box\nRestart=always`,
  );
  expect(codes(service)).toEqual([]);
});

test("a tunnel that runs no ssh has no mistakes of ssh", () => {
  expect(
    auditTunnelService({
      kind: "tunnel",
      description: "ours",
      programArguments: ["/usr/bin/node", "/opt/openclaw.js", "tunnel", "open", "me@box"],
    }),
  ).toEqual([]);
});

test.each([
  [["-L", "8080:host:80"], [8080]],
  [["-L8080:host:80"], [8080]],
  [["-L", "localhost:8080:host:80"], [8080]],
  [["-L", "[::1]:8080:host:80"], [8080]],
  [["-L", "8080:/run/a.sock"], [8080]],
  [["-L", "/run/b.sock:/run/a.sock"], []],
  [["-D", "1080"], [1080]],
  [["-D", "127.0.0.1:1080"], [1080]],
  [
    ["-NL", "1:a:2", "-L", "3:b:4"],
    [1, 3],
  ],
])("%j opens the local ports %j", (words, ports) => {
  expect(findSshCommands(["ssh", ...words, "box"])).toMatchObject([
    { localPorts: ports, destination: "box" },
  ]);
});
