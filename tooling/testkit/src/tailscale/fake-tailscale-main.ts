/* A stand-in of the `tailscale` program: node fake-tailscale-main.ts <directory> <arguments> */
import { writeSync } from "node:fs";
import process from "node:process";
import {
  fakeTailscaleFiles,
  type FakeTailscaleFault,
  type FakeTailscaleState,
} from "./fake-tailscale-state.ts";
import { countMounts, mountHandler, removeMounts, type ServeMount } from "./serve-table.ts";

const [directory = "", ...args] = process.argv.slice(2);
const files = fakeTailscaleFiles(directory);
const NODE_ID = "nTESTCNTRL";
const OLDEST_WITH_FLAGS = 52;

files.recordCall(args);
main();

function main(): void {
  const fault = takeFault(args.join(" "));
  if (fault !== undefined && strikesBefore(fault)) return;
  const state = files.readState();
  const [command = "", ...rest] = args;
  switch (command) {
    case "version":
    case "--version":
      return print(
        `${state.version}\n  tailscale commit: 0123456789abcdef\n  go version: go1.25.1\n`,
      );
    case "status":
      return status();
    case "whois":
      return whois(state, rest);
    case "serve":
    case "funnel":
      return serveOrFunnel(state, command, rest, fault);
    default:
      return fail(`tailscale: unknown subcommand: ${command}`);
  }
}

/** The first fault that concerns this invocation, and one less of those that are counted. */
function takeFault(line: string): FakeTailscaleFault | undefined {
  const concerns = ({ on, times = 1 }: FakeTailscaleFault): boolean =>
    times > 0 && (on === "*" || `${line} `.startsWith(`${on} `));
  const fault = files.readState().faults.find(concerns);
  if (fault?.times === undefined) return fault;
  files.changeState((state) => {
    state.faults = state.faults.map((other) =>
      concerns(other) && other.times !== undefined ? { ...other, times: other.times - 1 } : other,
    );
  });
  return fault;
}

/** True when the fault has ended everything. */
function strikesBefore({ kind, text = "" }: FakeTailscaleFault): boolean {
  switch (kind) {
    case "hang":
      waitForEver();
      return true;
    case "flood":
      for (;;) print(`${"x".repeat(1023)}\n`);
    case "garbage":
      print('{ "BackendState": "Runn\n');
      return true;
    case "fail":
      fail(text);
      return true;
    case "unknown flag":
      refuseFlag(args.find((word) => word.startsWith("--")) ?? "--bg");
      return true;
    case "nothing":
    case "half":
    case "public":
    case "then fail":
    case "then replaced":
      return false;
  }
}

function status(): void {
  let state = files.readState();
  if (!state.isDaemonRunning) {
    return fail(
      "failed to connect to local tailscaled; it doesn't appear to be running (sudo systemctl start tailscaled ?)",
    );
  }
  if (!args.includes("--json")) return fail("the stand-in knows status --json only");
  if (state.startsAfter > 0) {
    files.changeState((changed) => (changed.startsAfter -= 1));
    state = { ...state, backendState: "Starting" };
  }
  const isUp = state.backendState === "Running" || state.backendState === "Starting";
  printJson(state, {
    Version: `${state.version}-t0123456789`,
    TUN: true,
    BackendState: state.backendState,
    HaveNodeKey: isUp,
    AuthURL: state.backendState === "NeedsLogin" ? "https://login.tailscale.com/a/0123456789" : "",
    TailscaleIPs: isUp ? state.addresses : null,
    Self: {
      ID: NODE_ID,
      HostName: "box",
      DNSName: isUp ? state.dnsName : "",
      TailscaleIPs: isUp ? state.addresses : null,
      Online: state.backendState === "Running",
      CapMap: isUp ? capabilities(state) : null,
    },
    Health: state.health,
    MagicDNSSuffix: isUp ? state.dnsName.split(".").slice(1, -1).join(".") : "",
    CurrentTailnet: isUp ? { Name: "me@example.com", MagicDNSEnabled: state.dnsName !== "" } : null,
    CertDomains: isUp && state.isHttpsEnabled ? [state.dnsName.replace(/\.$/u, "")] : null,
    Peer: {},
    User: {},
  });
}

function capabilities({ isHttpsEnabled, isFunnelEnabled }: FakeTailscaleState): object {
  return {
    ...(isHttpsEnabled ? { https: null } : {}),
    ...(isFunnelEnabled
      ? { funnel: null, "https://tailscale.com/cap/funnel-ports?ports=443,8443,10000": null }
      : {}),
  };
}

function whois(state: FakeTailscaleState, rest: readonly string[]): void {
  if (!state.isDaemonRunning) return failToConnect("whois");
  const address = rest.find((word) => !word.startsWith("-")) ?? "";
  const peer = state.peers[address];
  if (peer === undefined) return fail("peer not found");
  const isTagged = peer.tags !== undefined && peer.tags.length > 0;
  printJson(state, {
    Node: {
      ID: 1234,
      StableID: NODE_ID,
      Name: "laptop.tail1234.ts.net.",
      Addresses: [`${address}/32`],
      ...(isTagged ? { Tags: peer.tags } : {}),
      Cap: 113,
    },
    UserProfile: isTagged
      ? { ID: 1, LoginName: "tagged-devices", DisplayName: "Tagged Devices", ProfilePicURL: "" }
      : { ID: 2, LoginName: peer.login, DisplayName: peer.name ?? "", ProfilePicURL: "" },
    CapMap: null,
  });
}

function serveOrFunnel(
  state: FakeTailscaleState,
  command: "serve" | "funnel",
  rest: readonly string[],
  fault: FakeTailscaleFault | undefined,
): void {
  if (!state.isDaemonRunning) return failToConnect("serve-config");
  if (rest[0] === "status") return printJson(state, tableOrNull());
  if (rest[0] === "reset") {
    if (!state.isOperator) return deny();
    return files.changeTable((table) => {
      for (const part of Object.keys(table)) Reflect.deleteProperty(table, part);
    });
  }
  const flags = rest.filter((word) => word.startsWith("--"));
  const [firstFlag] = flags;
  const minor = Number(state.version.split(".")[1]);
  if (firstFlag !== undefined && minor < OLDEST_WITH_FLAGS) return refuseFlag(firstFlag);

  const targets = rest.filter((word) => !word.startsWith("-"));
  const [target = ""] = targets;
  if (targets.length !== 1) {
    return fail("Error: invalid argument format\ntry `tailscale serve --help` for usage info");
  }
  const path = valueOf(flags, "--set-path");
  const at: ServeMount = {
    host: state.dnsName.replace(/\.$/u, ""),
    port: Number(valueOf(flags, "--https") ?? 443),
    mount: path ?? "/",
  };
  if (!isUp(state)) return;
  if (target === "off") return turnOff(state, at, path, flags.includes("--yes"));
  if (command === "funnel" && !isEnabled(state, "Funnel", state.isFunnelEnabled)) return;
  if (!isEnabled(state, "Serve", state.isHttpsEnabled)) return;
  if (!flags.includes("--bg")) return fail("the stand-in serves in the background only");
  turnOn(state, at, target, command, fault);
}

function turnOn(
  state: FakeTailscaleState,
  at: ServeMount,
  target: string,
  command: "serve" | "funnel",
  fault: FakeTailscaleFault | undefined,
): void {
  const table = files.readTable();
  for (const session of Object.values(table.Foreground ?? {})) {
    if (session.TCP?.[at.port]) return fail("foreground already exists under this port");
  }
  const present = table.TCP?.[at.port];
  if (present !== undefined && present.HTTPS !== true) {
    const kind = present.HTTP === true ? "http" : "tcp";
    return fail(`want to serve "https" but port is already serving "${kind}" for "machine"`);
  }
  if (!state.isOperator) return deny();
  const proxy = /^\d+$/u.test(target) ? `http://127.0.0.1:${target}` : target;
  const isFunnel = command === "funnel" || fault?.kind === "public";
  if (fault?.kind === "half") {
    files.changeTable((half) => (half.TCP = { ...half.TCP, [at.port]: { HTTPS: true } }));
  } else if (fault?.kind !== "nothing") {
    files.changeTable((whole) => mountHandler(whole, at, { Proxy: proxy }, isFunnel));
  }
  if (fault?.kind === "then replaced") files.writeTable(fault.table ?? {});
  if (fault?.kind === "then fail") return fail(fault.text ?? "");
  print(`${command === "funnel" ? "Available on the internet:" : "Available within your tailnet:"}\n
https://${at.host}/\n|-- proxy ${proxy}\n
${command === "funnel" ? "Funnel" : "Serve"} started and running in the background.
To disable the proxy, run: tailscale ${command} --https=${at.port} off\n`);
}

function turnOff(
  state: FakeTailscaleState,
  at: ServeMount,
  path: string | undefined,
  isYes: boolean,
): void {
  // Without an answer to its question it changes nothing and ends with 0.
  const question = path === undefined && countMounts(files.readTable(), at) > 1;
  if (question && !isYes) {
    return print(`Are you sure you want to delete several handlers under port ${at.port}? [y/n] `);
  }
  if (!state.isOperator) return deny();
  let isRemoved = false;
  files.changeTable((table) => {
    isRemoved = removeMounts(table, { ...at, mount: path });
  });
  if (!isRemoved) {
    fail(
      "error: failed to remove web serve: handler does not exist\n\ntry `tailscale serve --help` for usage info",
    );
  }
}

/** False after it has said why nothing can be served. */
function isUp({ backendState }: FakeTailscaleState): boolean {
  if (backendState === "Running" || backendState === "Starting") return true;
  if (backendState === "Stopped") fail("Tailscale is stopped.");
  else if (backendState === "NeedsLogin") {
    fail("Logged out.\nLog in at: https://login.tailscale.com/a/0123456789");
  } else if (backendState === "NeedsMachineAuth") {
    fail("Machine is not yet authorized by tailnet admin.");
  } else fail(`unexpected state: ${backendState}`);
  return false;
}

/** False after it has shown the link; it then waits for somebody to follow it, unless told otherwise. */
function isEnabled(state: FakeTailscaleState, feature: string, isOn: boolean): boolean {
  if (isOn) return true;
  const link = `https://login.tailscale.com/f/${feature.toLowerCase()}?node=${NODE_ID}`;
  print(`\n${feature} is not enabled on your tailnet.\nTo enable, visit:\n\n         ${link}\n\n`);
  if (state.waitsForEnablement) waitForEver();
  return false;
}

function tableOrNull(): object | null {
  const table = files.readTable();
  return Object.keys(table).length === 0 ? null : table;
}

function valueOf(flags: readonly string[], name: string): string | undefined {
  return flags.find((flag) => flag.startsWith(`${name}=`))?.slice(name.length + 1);
}

function printJson({ isNoisy, version }: FakeTailscaleState, value: unknown): void {
  if (isNoisy) {
    fprint(2, `Warning: client version "${version}" != tailscaled server version "1.0.0"\n`);
    print("# Health check:\n#     - some peers are advertising routes\n\n");
  }
  print(`${JSON.stringify(value, undefined, 2)}\n`);
  if (isNoisy) print("# An update is available: see https://tailscale.com/s/client-updates\n");
}

function deny(): void {
  fail(
    `sending serve config: Access denied: serve config denied\n\nUse 'sudo tailscale ${args.join(" ")}'.\nTo not require root, use 'sudo tailscale set --operator=$USER' once.`,
  );
}

function failToConnect(path: string): void {
  fail(
    `Failed to connect to local Tailscale daemon for /localapi/v0/${path}; not running? Error: dial unix /var/run/tailscale/tailscaled.sock: connect: no such file or directory`,
  );
}

function refuseFlag(flag: string): void {
  const name = flag.replace(/^--?/u, "").replace(/=.*$/u, "");
  fprint(2, `flag provided but not defined: -${name}\nUSAGE\n  serve [flags] <mount-point>\n`);
  process.exitCode = 2;
}

function waitForEver(): void {
  process.on("SIGTERM", () => undefined);
  setInterval(() => undefined, 60_000);
}

function fail(text: string): void {
  fprint(2, `${text}\n`);
  process.exitCode = 1;
}

function print(text: string): void {
  fprint(1, text);
}

function fprint(descriptor: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  for (let sent = 0; sent < bytes.length;) {
    try {
      sent += writeSync(descriptor, bytes, sent);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") process.exit(1);
    }
  }
}
