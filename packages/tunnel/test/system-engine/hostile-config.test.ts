import { chmod, readdir, writeFile } from "node:fs/promises";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, hasSshd, sshTestRig, temporaryDirectory } from "@openclaw/testkit";
import type { SshTestRig } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { isRunning, openTo } from "./support.ts";

/** Everything that makes ssh do more than connect. */
async function hostileConfig(rig: SshTestRig): Promise<{ path: string; ports: number[] }> {
  const ports = [await freePort(), await freePort(), await freePort()];
  const path = join(rig.home, "config");
  const marker = (name: string): string => join(rig.home, name);
  const lines = [
    `RemoteCommand touch ${marker("remote-command")}`,
    `LocalCommand touch ${marker("local-command")}`,
    "PermitLocalCommand yes",
    "ForwardAgent yes",
    "ForwardX11 yes",
    "ForwardX11Trusted yes",
    `LocalForward ${ports[0]} 127.0.0.1:1`,
    `RemoteForward ${ports[1]} 127.0.0.1:1`,
    `DynamicForward ${ports[2]}`,
    "GatewayPorts yes",
    "ControlMaster auto",
    `ControlPath ${marker("shared")}-%C`,
    "ControlPersist 10m",
    "RequestTTY force",
    "Tunnel yes",
    "SendEnv *",
    "SetEnv INJECTED=yes",
    "ForkAfterAuthentication yes",
    "SessionType subsystem",
    "ExitOnForwardFailure no",
    "AddKeysToAgent yes",
    "UpdateHostKeys yes",
    "GSSAPIDelegateCredentials yes",
    "BatchMode no",
    "LogLevel QUIET",
    "EscapeChar ~",
  ];
  await writeFile(path, `Host *\n${lines.map((line) => `  ${line}\n`).join("")}`, { mode: 0o600 });
  return { path, ports };
}

/** TCP ports on which anybody listens, as the kernel has them. */
function listeningPorts(): number[] {
  return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/u))
      .filter(([, , , state]) => state === "0A")
      .map(([, local = ""]) => Number.parseInt(local.split(":")[1] ?? "", 16)),
  );
}

describe.skipIf(!hasSshd)("under a hostile ssh config", () => {
  test("ssh connects, and does nothing else that the config asks for", async () => {
    await using rig = await sshTestRig({ server: { config: ["AcceptEnv *", "PermitTunnel yes"] } });
    const { path, ports } = await hostileConfig(rig);
    await using connection = await openTo(rig, { engine: { sshConfig: path } });
    const channel = await connection.connect({ host: "127.0.0.1", port: rig.echo.port });
    channel.destroy();
    const { stdout } = await connection.run("env; tty");
    expect(stdout).not.toMatch(/INJECTED|SSH_AUTH_SOCK|DISPLAY|SSH_TTY/u);
    expect(stdout).toContain("not a tty");
    const listening = listeningPorts();
    expect(listening.filter((port) => ports.includes(port))).toEqual([]);
    expect(existsSync(join(rig.home, "remote-command"))).toBe(false);
    expect(existsSync(join(rig.home, "local-command"))).toBe(false);
    expect((await readdir(rig.home)).filter((name) => name.startsWith("shared"))).toEqual([]);
    await connection.close();
    expect(isRunning(connection.info.pid)).toBe(false);
  });

  test.each([
    ["ForwardAgent", "ForwardAgent=no|-a"],
    ["PermitLocalCommand", "PermitLocalCommand=no"],
    ["RemoteCommand", "RemoteCommand=none"],
    ["UpdateHostKeys", "UpdateHostKeys=no"],
    ["AddKeysToAgent", "AddKeysToAgent=no"],
    ["LocalForward", "ClearAllForwardings=yes"],
    ["RemoteForward", "ClearAllForwardings=yes"],
    ["DynamicForward", "ClearAllForwardings=yes"],
    ["BatchMode", "BatchMode=yes"],
    ["StrictHostKeyChecking", "StrictHostKeyChecking=yes"],
    ["ControlPersist", "ControlPersist=no"],
    ["ForkAfterAuthentication", "ForkAfterAuthentication=no"],
  ])("a program that would not keep %s off is not started", async (setting, option) => {
    await using rig = await sshTestRig();
    await using directory = await temporaryDirectory();
    const { path } = await hostileConfig(rig);
    const started = directory.file("started");
    // Stands for an ssh that takes no notice of one option.
    const sshProgram = directory.file("ssh");
    const script = [
      "#!/bin/bash",
      'args=(); for word in "$@"; do',
      // An option of its own, or the value of -o: something harmless takes its place.
      `  case $word in ${option}) case $word in -*) word=-4 ;; *) word=LogLevel=INFO ;; esac ;; esac`,
      '  args+=("$word")',
      "done",
      `case "$1" in -G|-V) ;; *) touch ${started} ;; esac`,
      'exec /usr/bin/ssh "${args[@]}"',
    ];
    await writeFile(sshProgram, `${script.join("\n")}\n`);
    await chmod(sshProgram, 0o700);
    const config = setting === "StrictHostKeyChecking" ? directory.file("config") : path;
    await writeFile(directory.file("config"), "StrictHostKeyChecking no\n", { mode: 0o600 });
    const failure = await openTo(rig, { engine: { sshConfig: config, sshProgram } }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: "UNSAFE_SSH_CONFIG",
      final: true,
      details: { settings: expect.arrayContaining([setting]) },
    });
    expect(existsSync(started)).toBe(false);
  });

  test("a ProxyCommand of the config carries the connection", async () => {
    await using rig = await sshTestRig();
    const path = join(rig.home, "config");
    const proxy = `bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3; kill $!'`;
    await writeFile(path, `ProxyCommand ${proxy}\n`, { mode: 0o600 });
    await using connection = await openTo(rig, { engine: { sshConfig: path } });
    expect(await connection.run("echo through it")).toMatchObject({ stdout: "through it\n" });
  });
});
