import { readFile, writeFile } from "node:fs/promises";
import { createMemoryIo } from "@openclaw/app-kit/testing";
import { resolvePaths } from "@openclaw/config";
import { createGateway, type Gateway } from "@openclaw/gateway-core";
import {
  createFaultProxy,
  freePort,
  generateSshKey,
  hasSshd,
  type SshTestRig,
  sshTestRig,
  temporaryDirectory,
  type TemporaryDirectory,
} from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import type { NodeRunFlags } from "../src/node-target.ts";
import { runNode } from "../src/run-node.ts";

if (!hasSshd)
  process.stderr.write("skipped: tests over SSH need the Debian package openssh-server\n");

const TOKEN = "a-token-of-the-node-tests";

interface Far extends AsyncDisposable {
  readonly rig: SshTestRig;
  readonly gateway: Gateway;
  readonly port: number;
  readonly flags: NodeRunFlags;
}

/** A Gateway, and an SSH server beside it. */
async function startFar(): Promise<Far> {
  const rig = await sshTestRig();
  const gateway = createGateway({
    auth: { mode: "token", token: TOKEN },
    nodes: { pairing: { autoApproveLocal: true } },
  });
  const { port } = await gateway.listen({ port: 0 });
  return {
    rig,
    gateway,
    port,
    flags: {
      ssh: rig.target,
      remotePort: String(port),
      sshIdentity: rig.identity,
      sshKnownHosts: rig.knownHosts,
      token: TOKEN,
    },
    async [Symbol.asyncDispose]() {
      await gateway.close();
      await rig.stop();
    },
  };
}

function startNode(home: TemporaryDirectory, flags: NodeRunFlags) {
  const { io, out, signal } = createMemoryIo({
    home: home.path,
    env: { PATH: process.env["PATH"] },
  });
  const ready = Promise.withResolvers<{ nodeId: string; url: string }>();
  const stop = new AbortController();
  const exitCode = runNode({
    flags,
    io,
    paths: resolvePaths({ env: io.env, homedir: home.path }),
    onReady: ready.resolve,
    signal: stop.signal,
  });
  return {
    out,
    signal,
    exitCode,
    ready: ready.promise,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await exitCode;
    },
  };
}

const connectedNodes = async (gateway: Gateway): Promise<number> => {
  const { nodes } = (await gateway.call("node.list", {})) as { nodes: { connected: boolean }[] };
  return nodes.filter(({ connected }) => connected).length;
};

describe.runIf(hasSshd)("a node behind SSH", () => {
  test("serves through one SSH connection, and a later run goes there again by itself", async () => {
    await using home = await temporaryDirectory();
    await using far = await startFar();
    await using node = startNode(home, far.flags);
    const { nodeId } = await node.ready;
    const place = `ws://127.0.0.1:${far.port} over SSH to ${far.rig.target}`;
    expect(node.out.stderr).toContain(`Connecting to ${place} (cli --ssh).`);
    expect(node.out.stderr).toMatch(/SSH connection open \(ssh2, .*OpenSSH/);
    expect(node.out.stderr).toContain(`Connected to ${place}`);
    const answer = await far.gateway.call("node.invoke", {
      nodeId,
      command: "system.run",
      params: { command: ["echo", "hello"] },
      idempotencyKey: "k1",
    });
    expect(answer).toMatchObject({ ok: true, payload: { exitCode: 0, stdout: "hello\n" } });
    node.signal();
    expect(await node.exitCode).toBe(0);

    const saved = JSON.parse(await readFile(home.file(".openclaw", "node.json"), "utf8")) as object;
    expect(saved).toMatchObject({
      gateway: { ssh: { target: far.rig.target, remotePort: far.port } },
    });
    await using again = startNode(home, {});
    expect(await again.ready).toMatchObject({ nodeId });
    expect(again.out.stderr).toContain(`Connecting to ${place} (node.json).`);
  });

  test("comes back with a cut connection as one thing, and tells both changes", async () => {
    await using home = await temporaryDirectory();
    await using far = await startFar();
    const { server } = far.rig;
    await using proxy = await createFaultProxy({
      target: { host: server.host, port: server.port },
    });
    const [pair = ""] = (await readFile(far.rig.knownHosts, "utf8")).split("\n");
    const knownHosts = home.file("known_hosts");
    await writeFile(knownHosts, pair.replace(/^\S+/, `[127.0.0.1]:${proxy.port}`));
    await using node = startNode(home, {
      ...far.flags,
      ssh: `${server.user}@127.0.0.1:${proxy.port}`,
      sshKnownHosts: knownHosts,
    });
    await node.ready;
    proxy.cutAll();
    await vi.waitFor(
      () => {
        expect(node.out.stderr).toMatch(/SSH connection lost: .*; next attempt in/);
        expect(node.out.stderr.split("Connected to ")).toHaveLength(3);
      },
      { timeout: 15_000 },
    );
    expect(await connectedNodes(far.gateway)).toBe(1);
  });

  test("says that the Gateway over there does not run, and goes on when it does", async () => {
    await using home = await temporaryDirectory();
    await using far = await startFar();
    await far.gateway.close();
    await using node = startNode(home, far.flags);
    await vi.waitFor(
      () => expect(node.out.stderr).toMatch(/Not connected: .*127\.0\.0\.1.*; next attempt in/),
      { timeout: 10_000 },
    );
    const gateway = createGateway({
      auth: { mode: "token", token: TOKEN },
      nodes: { pairing: { autoApproveLocal: true } },
    });
    await using _gateway = gateway;
    await gateway.listen({ port: far.port });
    await node.ready;
  });

  test("keeps trying while the SSH server is away, and can be stopped then", async () => {
    await using home = await temporaryDirectory();
    const port = await freePort();
    await using node = startNode(home, { ssh: `me@127.0.0.1:${port}`, token: TOKEN });
    await vi.waitFor(() =>
      expect(node.out.stderr).toMatch(/No SSH connection: .*; next attempt in [\d.]+ m?s\./),
    );
    node.signal("SIGINT");
    expect(await node.exitCode).toBe(0);
  });

  test("ends with 78 for a host key that nobody vouched for", async () => {
    await using home = await temporaryDirectory();
    await using far = await startFar();
    const flags = { ...far.flags, sshKnownHosts: home.file("known_hosts") };
    await using node = startNode(home, flags);
    expect(await node.exitCode).toBe(78);
    expect(node.out.stderr).toMatch(
      /No SSH connection: .*SHA256:\S{43}.*; giving up\.\n +If the host/,
    );
    expect(node.out.stderr.split("giving up")).toHaveLength(2);

    await using accepting = startNode(home, { ...flags, acceptNew: true });
    await accepting.ready;
    expect(accepting.out.stderr).toMatch(/New SSH host key accepted: .*SHA256:/);
  });

  test("ends with 78 for a key that the server refuses", async () => {
    await using home = await temporaryDirectory();
    await using far = await startFar();
    const other = await generateSshKey({ type: "ed25519", directory: home.path, name: "other" });
    await using node = startNode(home, { ...far.flags, sshIdentity: other.privateKeyPath });
    expect(await node.exitCode).toBe(78);
    expect(node.out.stderr).toMatch(/No SSH connection: .*; giving up\./);
  });

  test("ends with 78 for a fingerprint that is none, and with 1 for a wrong token", async () => {
    await using home = await temporaryDirectory();
    await using far = await startFar();
    await using node = startNode(home, { ...far.flags, sshHostKey: "no-fingerprint" });
    expect(await node.exitCode).toBe(78);
    const wrong = { ...far.flags, token: "another-token-altogether", sshHostKey: undefined };
    await using other = await temporaryDirectory();
    await using refused = startNode(other, wrong);
    expect(await refused.exitCode).toBe(1);
    expect(refused.out.stderr).toMatch(/Not connected: .*token mismatch.*; giving up\./);
  });
});
