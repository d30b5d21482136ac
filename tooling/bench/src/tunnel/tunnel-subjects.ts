import { existsSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort, startProcess, type SshTestRig } from "@openclaw/testkit";
import { ROOT } from "../workspace.ts";
import type { FarSide } from "./far-side.ts";

/** OpenSSH's own first choice is another; what is compared uses one. */
const CIPHER = "aes128-gcm@openssh.com";

/** What `tunnel-main.mjs` is told. */
export interface TunnelProcessOptions {
  target: string;
  identity: string;
  knownHosts: string;
  engine: "ssh2" | "system";
  ports: number[];
}

/** A tunnel that runs in a process of its own. */
export interface RunningTunnel extends AsyncDisposable {
  readonly pid: number;
  /** Local ports of sink, source and echo. */
  readonly sink: number;
  readonly source: number;
  readonly echo: number;
}

export interface TunnelSubject {
  readonly name: string;
  start(rig: SshTestRig, far: FarSide, sshPort: number): Promise<RunningTunnel>;
}

/** The baseline: the system's ssh. */
export const opensshSubject: TunnelSubject = {
  name: "ssh -N -L",
  async start(rig, far, sshPort) {
    const [sink, source, echo] = [await freePort(), await freePort(), await freePort()];
    const forwards = [
      `127.0.0.1:${sink}:127.0.0.1:${far.sink}`,
      `127.0.0.1:${source}:127.0.0.1:${far.source}`,
      `127.0.0.1:${echo}:127.0.0.1:${far.echo}`,
    ].flatMap((forward) => ["-L", forward]);
    const child = startProcess("ssh", [
      ...["-F", "none", "-N", "-c", CIPHER, "-p", String(sshPort), "-i", rig.identity],
      ...["-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-o", "IdentitiesOnly=yes"],
      ...["-o", `HostKeyAlias=[127.0.0.1]:${rig.server.port}`],
      ...["-o", `UserKnownHostsFile=${rig.knownHosts}`, "-o", "GlobalKnownHostsFile=/dev/null"],
      ...forwards,
      `${rig.server.user}@127.0.0.1`,
    ]);
    await listening(echo);
    return running(child, { sink, source, echo });
  },
};

/** Our tunnel; `binding` is the path of ssh2's native one, empty for none. */
export function tunnelSubject(
  name: string,
  engine: "ssh2" | "system",
  binding = "",
): TunnelSubject {
  return {
    name,
    async start(rig, far, sshPort) {
      const options: TunnelProcessOptions = {
        target: `${rig.server.user}@127.0.0.1:${sshPort}`,
        identity: rig.identity,
        knownHosts: await knownHostsFor(rig, sshPort),
        engine,
        ports: [far.sink, far.source, far.echo],
      };
      const child = startProcess(
        process.execPath,
        [
          ...["--import", new URL("preload-binding.mjs", import.meta.url).href],
          ...(isBuilt() ? [] : ["--conditions=@openclaw/source"]),
          fileURLToPath(new URL("tunnel-main.mjs", import.meta.url)),
          JSON.stringify(options),
        ],
        { env: { ...rig.env, SSH2_BINDING: binding } },
      );
      const [line] = await child.line(/^\{.*\}$/, { deadlineMs: 20_000 });
      const { ports, engine: info } = JSON.parse(line) as {
        ports: [number, number, number];
        engine?: { cryptography: string };
      };
      const wanted = binding === "" ? "javascript" : "native";
      if (engine === "ssh2" && info?.cryptography !== wanted) {
        throw new Error(`${name} runs with ${info?.cryptography} cryptography`);
      }
      const [sink, source, echo] = ports;
      return running(child, { sink, source, echo });
    },
  };
}

/** What users run is the built package; source is larger in memory, and slower to collect. */
function isBuilt(): boolean {
  return existsSync(join(ROOT, "packages", "tunnel", "dist", "index.js"));
}

/** The server's key, known under another port: that of a proxy in front of it. */
async function knownHostsFor(rig: SshTestRig, sshPort: number): Promise<string> {
  if (sshPort === rig.server.port) return rig.knownHosts;
  const { readFile, writeFile } = await import("node:fs/promises");
  const path = `${rig.knownHosts}-${sshPort}`;
  const text = await readFile(rig.knownHosts, "utf8");
  await writeFile(path, text.replaceAll(`]:${rig.server.port} `, `]:${sshPort} `));
  return path;
}

function running(
  child: ReturnType<typeof startProcess>,
  ports: { sink: number; source: number; echo: number },
): RunningTunnel {
  return {
    ...ports,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      await child.stop(2_000);
    },
  };
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
    if (isOpen) return;
    await delay(50);
  }
  throw new Error("ssh does not listen");
}
