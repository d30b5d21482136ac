import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { PassThrough } from "node:stream";
import {
  freePort,
  generateSshKey,
  hasAsyncssh,
  hasSshd,
  startMisbehavingSshServer,
  withDeadline,
} from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { createCli, TOKEN } from "./cli-fixture.ts";
import { startSshGateway } from "./ssh-rig.ts";

describe.runIf(hasSshd)("a Gateway behind SSH", () => {
  test("is asked like any other, and knows this device afterwards", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const { code, stdout, stderr } = await cli.run(["health", ...far.flags]);
    expect(stderr).toBe("");
    expect(stdout).toContain("✅ Gateway is healthy\n✅ Authenticated successfully");
    expect(code).toBe(0);
    // It looks like a peer on the Gateway's own machine, and is none.
    expect(existsSync(cli.home.file(".openclaw", "identity", "device.json"))).toBe(true);
    const tokens = await readFile(
      cli.home.file(".openclaw", "identity", "device-auth.json"),
      "utf8",
    );
    expect(tokens).toContain(far.url);
  });

  test.each([
    "nodes list",
    "devices list",
    "gateway health",
    "gateway call status",
    "gateway status --require-rpc",
    "gateway probe",
  ])("%s goes there", async (words) => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const result = await cli.run([...words.split(" "), ...far.flags]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
  });

  test("status says how it got there", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const { target } = far.rig;
    const shown = await cli.run(["status", ...far.flags]);
    expect(shown.stdout).toContain(`ws://127.0.0.1:${far.gateway.port} over SSH to ${target}`);
    const via = { kind: "ssh", target, remotePort: far.gateway.port, engine: "ssh2" };
    const status = await cli.run(["status", "--json", ...far.flags]);
    expect(status.json()).toMatchObject({ gateway: { reachable: true, via } });
    const gatewayStatus = await cli.run(["gateway", "status", "--json", ...far.flags]);
    expect(gatewayStatus.json()).toMatchObject({ rpc: { ok: true, via } });
  });

  test("may be named in the environment, and its secret too", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const env = { OPENCLAW_GATEWAY_URL: far.url, OPENCLAW_GATEWAY_TOKEN: TOKEN };
    const result = await cli.run(["health", ...far.sshFlags], { env });
    expect(result).toMatchObject({ code: 0, stderr: "" });
  });

  test.each([
    ["a URL", (url: string) => ({ url })],
    [
      "a target",
      (url: string) => ({
        transport: "ssh",
        sshTarget: url.replace(/^ssh:\/\/(.*)\/\d+$/, "$1"),
        remotePort: Number(url.replace(/^.*\//, "")),
      }),
    ],
  ])("may be the remote one of the config, as %s", async (_, place) => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const remote = { ...place(far.url), token: TOKEN, sshIdentity: far.rig.identity };
    const path = cli.home.file("openclaw.json");
    await writeFile(path, JSON.stringify({ gateway: { mode: "remote", remote } }));
    const result = await cli.run(["health", "--ssh-known-hosts", far.rig.knownHosts], {
      env: { OPENCLAW_CONFIG_PATH: path },
    });
    expect(result).toMatchObject({ code: 0, stderr: "" });
  });

  test("a wrong token is the Gateway's to refuse", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const args = ["--url", far.url, "--token", "not-the-token-at-all", ...far.sshFlags];
    const result = await cli.run(["health", "--json", ...args]);
    expect(result.code).toBe(1);
    expect(result.json()).toMatchObject({
      ok: false,
      error: { type: "gateway_auth_error", code: "AUTH_TOKEN_MISMATCH" },
      gateway: { via: { kind: "ssh", target: far.rig.target } },
    });
    expect(result.stdout).not.toContain("not-the-token-at-all");
  });

  test("never gets the secret of this machine's own Gateway", async () => {
    await using cli = await createCli();
    await using far = await startSshGateway();
    const result = await cli.run(["health", "--json", "--url", far.url, ...far.sshFlags], {
      env: { OPENCLAW_GATEWAY_TOKEN: TOKEN },
    });
    expect(result.json()).toMatchObject({ error: { type: "gateway_credentials_required" } });
  });
});

describe.runIf(hasSshd)("a failure on the way over SSH is told with its step and a cure", () => {
  const failureOf = async (
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<Record<string, unknown>> => {
    await using cli = await createCli();
    const result = await cli.run(["health", "--json", ...args], { env });
    expect(result.code).toBe(1);
    expect(result.stderr).toBe("");
    const { error } = result.json() as { error: Record<string, unknown> };
    expect(error).toMatchObject({ type: "gateway_transport_error", kind: "ssh" });
    return error;
  };

  test("an unknown host key shows its fingerprint, and accept-new records it", async () => {
    await using far = await startSshGateway();
    await using cli = await createCli();
    const knownHosts = cli.home.file("known_hosts");
    const args = ["--url", far.url, "--token", TOKEN, "--ssh-identity", far.rig.identity];
    args.push("--ssh-known-hosts", knownHosts);
    const error = await failureOf(args);
    expect(error).toMatchObject({ code: "HOST_KEY_UNKNOWN", final: true });
    expect(String(error["message"])).toMatch(/SHA256:\S{43}/);

    const accepting = await cli.run(["health", ...args, "--accept-new"]);
    expect(accepting.code).toBe(0);
    expect(accepting.stderr).toMatch(/New SSH host key accepted: \S+ ssh-\S+ SHA256:\S{43}/);
    const again = await cli.run(["health", ...args]);
    expect(again).toMatchObject({ code: 0, stderr: "" });
  });

  test("a changed host key shows both fingerprints and how to forget the old one", async () => {
    await using far = await startSshGateway();
    await using cli = await createCli();
    const other = await generateSshKey({
      type: "ed25519",
      directory: cli.home.path,
      name: "other",
    });
    const { host, port } = far.rig.server;
    const knownHosts = cli.home.file("known_hosts");
    const [keyType = "", key = ""] = other.publicKey.split(" ");
    await writeFile(knownHosts, `[${host}]:${port} ${keyType} ${key}\n`);
    const args = ["--url", far.url, "--token", TOKEN, "--ssh-identity", far.rig.identity];
    // Nothing gets around it, also not what takes unknown keys.
    const error = await failureOf([...args, "--ssh-known-hosts", knownHosts, "--accept-new"]);
    expect(error).toMatchObject({
      code: "HOST_KEY_CHANGED",
      final: true,
      details: { expected: [other.fingerprint] },
    });
    expect(error["message"]).toContain(other.fingerprint);
    expect(String(error["message"]).match(/SHA256:\S{43}/g)).toHaveLength(2);
    expect(String(error["hints"])).toContain("ssh-keygen -R");
  });

  test("a pinned fingerprint is the only one that counts", async () => {
    await using far = await startSshGateway();
    const pin = `SHA256:${"A".repeat(43)}`;
    const error = await failureOf([...far.flags, "--ssh-host-key", pin]);
    expect(error).toMatchObject({ code: "HOST_KEY_CHANGED", details: { expected: [pin] } });
  });

  test("a key that the server does not know", async () => {
    await using far = await startSshGateway();
    await using cli = await createCli();
    const other = await generateSshKey({
      type: "ed25519",
      directory: cli.home.path,
      name: "other",
    });
    const args = ["--url", far.url, "--token", TOKEN, "--ssh-known-hosts", far.rig.knownHosts];
    const error = await failureOf([...args, "--ssh-identity", other.privateKeyPath]);
    expect(error).toMatchObject({ code: "AUTHENTICATION_REFUSED", final: true });
  });

  test("an encrypted key without anybody to ask", async () => {
    await using far = await startSshGateway();
    await using cli = await createCli();
    const key = await generateSshKey({
      type: "ed25519",
      directory: cli.home.path,
      name: "locked",
      passphrase: "open sesame",
    });
    await far.rig.server.authorize(key.publicKey);
    const args = ["--url", far.url, "--token", TOKEN, "--ssh-known-hosts", far.rig.knownHosts];
    const error = await failureOf([...args, "--ssh-identity", key.privateKeyPath]);
    expect(error).toMatchObject({ code: "IDENTITY_LOCKED", final: true });
  });

  test("a port on which nothing listens, on the way and at its end", async () => {
    const port = await freePort();
    const near = await failureOf(["--url", `ssh://me@127.0.0.1:${port}`, "--token", TOKEN]);
    expect(near).toMatchObject({ code: "CONNECTION_REFUSED", final: false });
    await using far = await startSshGateway();
    const url = `ssh://${far.rig.target}/${await freePort()}`;
    const end = await failureOf(["--url", url, "--token", TOKEN, ...far.sshFlags]);
    expect(end).toMatchObject({ code: "REMOTE_PORT_CLOSED" });
  });

  test("a name without an address", async () => {
    const error = await failureOf(["--url", "ssh://me@nowhere.invalid", "--token", TOKEN]);
    expect(error).toMatchObject({ code: "NAME_NOT_RESOLVED" });
  });
});

describe.runIf(hasSshd)("a person at a terminal", () => {
  const startLocked = async () => {
    const far = await startSshGateway();
    const cli = await createCli();
    const key = await generateSshKey({
      type: "ed25519",
      directory: cli.home.path,
      name: "locked",
      passphrase: "open sesame",
    });
    await far.rig.server.authorize(key.publicKey);
    const input = new PassThrough();
    const output = new PassThrough();
    let shown = "";
    output.on("data", (chunk: Buffer) => (shown += chunk.toString()));
    const args = ["health", "--url", far.url, "--token", TOKEN, "--timeout", "3000"];
    args.push("--ssh-known-hosts", far.rig.knownHosts, "--ssh-identity", key.privateKeyPath);
    return {
      run: (...more: string[]) => cli.run([...args, ...more], { terminal: { input, output } }),
      /** The same way for another command. */
      runOther: (...words: string[]) =>
        cli.run([...words, ...args.slice(1)], { terminal: { input, output } }),
      input,
      shown: () => shown,
      /** How many questions were answered. */
      answered: () => shown.split("◇").length - 1,
      far,
      async [Symbol.asyncDispose]() {
        await cli[Symbol.asyncDispose]();
        await far[Symbol.asyncDispose]();
      },
    };
  };

  test("is asked for the passphrase, which is not shown", async () => {
    await using locked = await startLocked();
    const running = locked.run();
    await vi.waitFor(() => expect(locked.shown()).toContain("Passphrase of"));
    locked.input.write("open sesame\r");
    expect(await running).toMatchObject({ code: 0 });
    expect(locked.shown()).not.toContain("sesame");
  });

  test("is asked once by a command that connects twice, and again after a wrong answer", async () => {
    await using locked = await startLocked();
    const pairing = locked.run();
    await vi.waitFor(() => expect(locked.shown()).toContain("Passphrase of"));
    locked.input.write("open sesame\r");
    expect(await pairing).toMatchObject({ code: 0 });
    const list = await locked.far.gateway.gateway.call("device.pair.list", {});
    const [device] = (list as { paired: { deviceId: string }[] }).paired;
    const id = device?.deviceId ?? "";

    const running = locked.runOther("devices", "rotate", "--device", id, "--role", "operator");
    locked.input.write("open says me\r");
    await vi.waitFor(() => expect(locked.shown()).toContain("(try again)"));
    locked.input.write("open sesame\r");
    expect(await running).toMatchObject({ code: 0, stderr: "" });
    expect(locked.answered()).toBe(3);
  });

  test("leaves with Ctrl-C, as a shell reports it", async () => {
    await using locked = await startLocked();
    const running = locked.run();
    await vi.waitFor(() => expect(locked.shown()).toContain("Passphrase of"));
    locked.input.write("\u0003");
    expect(await withDeadline(running, 5_000, locked.shown)).toMatchObject({
      code: 130,
    });
  });

  test("is not asked where the answer is for a program", async () => {
    await using locked = await startLocked();
    const result = await locked.run("--json");
    expect(result.json()).toMatchObject({ error: { code: "IDENTITY_LOCKED" } });
    expect(locked.shown()).toBe("");
  });
});

describe.runIf(hasAsyncssh)("an SSH server that says nothing", () => {
  test("is named at a terminal after a while, and left at once with Ctrl-C", async () => {
    await using server = await startMisbehavingSshServer("stall-before-banner");
    await using cli = await createCli();
    const { host, port } = server;
    const args = ["health", "--url", `ssh://me@${host}:${port}`, "--token", TOKEN];
    const running = cli.run(args, { isTTY: true });
    await vi.waitFor(() =>
      expect(cli.live.stderr).toContain(`Connecting to me@${host}:${port} over SSH …`),
    );
    cli.signal();
    const { code } = await withDeadline(running, 2_000, () => cli.live.stderr);
    expect(code).toBe(130);
  });

  test("runs into the time limit of the command", async () => {
    await using server = await startMisbehavingSshServer("stall-before-banner");
    await using cli = await createCli();
    const { host, port } = server;
    const args = ["health", "--json", "--url", `ssh://me@${host}:${port}`, "--token", TOKEN];
    const result = await cli.run([...args, "--timeout", "300"]);
    expect(result.code).toBe(1);
    expect(result.json()).toMatchObject({ error: { kind: "ssh", code: "TIMED_OUT" } });
  });
});
