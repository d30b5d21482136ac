import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  createRawPeer,
  hasSshd,
  sshTestRig,
  startProcess,
  temporaryDirectory,
  type SshTestRig,
  type TestProcess,
} from "@openclaw/testkit";
import { expect, onTestFinished, test } from "vitest";

const examples = new URL("../../../examples/", import.meta.url);
const READY_MS = 30_000;

if (!hasSshd) process.stderr.write("skipped: the examples over SSH need openssh-server\n");

test("the embedded Gateway's own method invokes the command of the example node", async () => {
  const directory = await temporaryDirectory("openclaw-examples-");
  onTestFinished(() => directory[Symbol.asyncDispose]());
  const env = { HOME: directory.path, OPENCLAW_GATEWAY_TOKEN: "a-token-for-the-examples" };

  const gateway = startExample("embed-gateway/embed-gateway.ts", { ...env, PORT: "0" });
  const [, port] = await gateway.line(/listening on .*port: (\d+)/, { deadlineMs: READY_MS });
  const node = startExample("write-a-node/write-a-node.ts", {
    ...env,
    OPENCLAW_GATEWAY_URL: `ws://127.0.0.1:${port}`,
    NODE_IDENTITY: directory.file("identity.json"),
  });
  const [, nodeId] = await node.line(/^node (\w+) is connected/, { deadlineMs: READY_MS });

  const page = await fetch(`http://127.0.0.1:${port}/`);
  expect(await page.text()).toBe("a page of your own\n");
  await using operator = await createRawPeer(`ws://127.0.0.1:${port}/`);
  await operator.handshake({ token: env.OPENCLAW_GATEWAY_TOKEN });
  expect(await operator.call("app.greet", { nodeId, name: "Ada" })).toMatchObject({
    ok: true,
    command: "demo.greet",
    payload: { greeting: "Hello Ada" },
  });
  await expect(operator.call("app.greet", { nodeId })).rejects.toThrow(
    "must have required property 'name'",
  );
});

test.skipIf(!hasSshd)("the example of a tunnel reaches a page behind SSH and ends", async () => {
  await using rig = await sshTestRig();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end("behind SSH\n");
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port: remotePort } = server.address() as AddressInfo;

  const example = startExample("open-a-tunnel/open-a-tunnel.ts", {
    ...(await aliasBox(rig)),
    REMOTE_PORT: String(remotePort),
  });
  expect(await example.exited).toMatchObject({ code: 0 });
  expect(example.stdout).toMatch(/^other programs connect to .*port: \d+/);
  expect(example.stdout).toMatch(/\r\n\r\nbehind SSH\n$/);
  expect(example.stderr.match(/(?<=tunnel: )\w+/g)).toEqual([
    "connecting",
    "open",
    "draining",
    "closed",
  ]);
  expect(asked).toEqual(["/healthz"]);
});

test.skipIf(!hasSshd)("the example of a client calls a Gateway behind SSH", async () => {
  await using rig = await sshTestRig();
  const OPENCLAW_GATEWAY_TOKEN = "a-token-for-the-examples";
  const gateway = startExample("embed-gateway/embed-gateway.ts", {
    HOME: rig.home,
    OPENCLAW_GATEWAY_TOKEN,
    PORT: "0",
  });
  const [, port] = await gateway.line(/listening on .*port: (\d+)/, { deadlineMs: READY_MS });

  const example = startExample("gateway-behind-ssh/gateway-behind-ssh.ts", {
    ...(await aliasBox(rig)),
    OPENCLAW_GATEWAY_TOKEN,
    OPENCLAW_GATEWAY_URL: `ws://127.0.0.1:${port}`,
  });
  expect(await example.exited).toMatchObject({ code: 0 });
  expect(example.stdout).toBe("the Gateway has 0 nodes\n");
});

/** What leads an example to the rig's server under the name `box`, as ssh_config does for a reader. */
async function aliasBox(rig: SshTestRig): Promise<Record<string, string>> {
  const SSH_CONFIG = join(rig.home, ".ssh/config");
  const { host, port, user } = rig.server;
  await writeFile(
    SSH_CONFIG,
    `Host box
  HostName ${host}
  Port ${port}
  User ${user}
  IdentityFile ${rig.identity}
  IdentityAgent none
  UserKnownHostsFile ${rig.knownHosts}
`,
  );
  return { ...rig.env, SSH_TARGET: "box", SSH_CONFIG };
}

function startExample(file: string, env: Record<string, string>): TestProcess {
  const path = fileURLToPath(new URL(file, examples));
  const example = startProcess(process.execPath, ["--conditions=@openclaw/source", path], { env });
  onTestFinished(() => example[Symbol.asyncDispose]());
  return example;
}
