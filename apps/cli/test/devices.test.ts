import { createFakeNode, createTestIdentity } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { createCli, startGateway, TOKEN } from "./cli-fixture.ts";

const manual = { nodes: { pairing: { autoApproveLocal: false } } };

async function ask(url: string, displayName: string): Promise<string> {
  const identity = createTestIdentity();
  await expect(
    createFakeNode(url, { token: TOKEN, identity, commands: ["system.which"], displayName }),
  ).rejects.toThrow(/pairing required/);
  return identity.deviceId;
}

test("devices list without entries says so; bare devices is the same", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  expect((await cli.run(["devices", "list", ...gateway.flags])).stdout).toBe(
    "no device pairing entries\n",
  );
  expect((await cli.run(["devices", ...gateway.flags])).stdout).toBe("no device pairing entries\n");
});

test("devices approve without an id approves the only request, and refuses to guess between two", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway(manual);
  const none = await cli.run(["devices", "approve", "--json", ...gateway.flags]);
  expect(none.json()).toMatchObject({ ok: false, error: { kind: "not_found" } });

  const first = await ask(gateway.url, "first");
  const list = await cli.run(["devices", "list", ...gateway.flags]);
  expect(list.stdout).toMatch(/Pending \(1\)\nRequest\s+Device\s+Role/);
  const preview = await cli.run(["devices", "approve", "--latest", ...gateway.flags]);
  expect(preview.code).toBe(1);
  expect(preview.stdout).toContain("Latest request: first");
  const approved = await cli.run(["devices", "approve", "--json", ...gateway.flags]);
  expect(approved.json()).toMatchObject({ device: { deviceId: first } });

  await ask(gateway.url, "second");
  await ask(gateway.url, "third");
  const ambiguous = await cli.run(["devices", "approve", ...gateway.flags]);
  expect(ambiguous.code).toBe(1);
  expect(ambiguous.stderr).toContain("2 devices ask for pairing");
  expect(ambiguous.stderr).toMatch(/openclaw devices approve [\w-]+ {3}# second/);
});

test("devices reject, rename, rotate, revoke and remove take the beginning of an id", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway(manual);
  const rejected = await ask(gateway.url, "unwanted");
  const { pending } = (await cli.run(["devices", "list", "--json", ...gateway.flags])).json() as {
    pending: { requestId: string }[];
  };
  const id = pending[0]?.requestId ?? "";
  const answer = await cli.run(["devices", "reject", id.slice(0, 6), "--json", ...gateway.flags]);
  expect(answer.json()).toMatchObject({ requestId: id, deviceId: rejected });

  const device = await ask(gateway.url, "laptop");
  await cli.run(["devices", "approve", ...gateway.flags]);
  const short = device.slice(0, 8);
  const renamed = await cli.run([
    "devices",
    "rename",
    "--device",
    short,
    "--name",
    "desk",
    ...gateway.flags,
  ]);
  expect(renamed.stdout).toContain("to desk");
  const rotated = await cli.run([
    "devices",
    "rotate",
    "--device",
    short,
    "--role",
    "node",
    "--json",
    ...gateway.flags,
  ]);
  expect(rotated.json()).toMatchObject({ deviceId: device, role: "node" });
  const revoked = await cli.run([
    "devices",
    "revoke",
    "--device",
    short,
    "--role",
    "node",
    "--json",
    ...gateway.flags,
  ]);
  expect(revoked.json()).toMatchObject({ deviceId: device, role: "node" });
  for (const command of ["rotate", "revoke"]) {
    const line = ["devices", command, "--device", short, "--role", "boss", ...gateway.flags];
    // oxlint-disable-next-line no-await-in-loop
    expect((await cli.run(line)).stderr).toContain(
      `desk (${device.slice(0, 12)}) has no token for the role "boss" (it has: node)`,
    );
  }
  const removed = await cli.run(["devices", "remove", short, "--json", ...gateway.flags]);
  expect(removed.json()).toEqual({ deviceId: device });
});

test("an unknown id is told with the ids there are", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway(manual);
  await ask(gateway.url, "someone");
  const result = await cli.run(["devices", "approve", "ffffffff", "--json", ...gateway.flags]);
  expect(result.code).toBe(1);
  expect(result.json()).toMatchObject({ error: { type: "cli_error", kind: "not_found" } });
});
