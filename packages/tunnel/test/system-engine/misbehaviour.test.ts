import { once } from "node:events";
import { hasAsyncssh, sshTestRig, startMisbehavingSshServer } from "@openclaw/testkit";
import type { MisbehavingSshServer, SshMisbehaviour, SshTestRig } from "@openclaw/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTo } from "./support.ts";

describe.skipIf(!hasAsyncssh)("a misbehaving server", () => {
  // Python and its library take most of a second to start: one server shows everything.
  let rig: SshTestRig<MisbehavingSshServer>;

  beforeAll(async () => {
    rig = await sshTestRig({
      startServer: (key) => startMisbehavingSshServer("normal", { authorizedKeys: [key] }),
    });
  });
  afterAll(() => rig.stop());

  const toEcho = (): { host: string; port: number } => ({ host: "127.0.0.1", port: rig.echo.port });

  test.each<[SshMisbehaviour, object]>([
    ["stall-before-banner", { code: "TIMED_OUT", details: { stage: "handshake" } }],
    ["stall-after-banner", { code: "TIMED_OUT", details: { stage: "handshake" } }],
    ["stall-authentication", { code: "TIMED_OUT", details: { stage: "authentication" } }],
    ["drop-mid-kex", { code: "CONNECTION_LOST", final: false }],
    ["change-host-key", { code: "HOST_KEY_CHANGED", final: true }],
    ["password-only", { code: "AUTHENTICATION_REFUSED", final: true }],
    ["keyboard-interactive", { code: "AUTHENTICATION_REFUSED", final: true }],
  ])("%s is told while connecting", async (behaviour, expected) => {
    await rig.server.behave(behaviour);
    await expect(openTo(rig, { options: { connectTimeoutMs: 5_000 } })).rejects.toMatchObject(
      expected,
    );
  });

  test.each<[SshMisbehaviour, object]>([
    ["refuse-forward", { code: "FORWARD_REFUSED" }],
    ["connect-failed", { code: "REMOTE_PORT_CLOSED" }],
  ])("%s is told by the channel", async (behaviour, expected) => {
    await rig.server.behave(behaviour);
    await using connection = await openTo(rig);
    await expect(connection.connect(toEcho())).rejects.toMatchObject(expected);
    await connection.probe(5_000);
  });

  test("a server without sessions serves channels and probes, and refuses commands", async () => {
    await rig.server.behave("no-session");
    await using connection = await openTo(rig);
    const channel = await connection.connect(toEcho());
    channel.end("x");
    expect(await once(channel, "data")).toEqual([Buffer.from("x")]);
    await expect(connection.run("true")).rejects.toMatchObject({ code: "COMMAND_REFUSED" });
    await connection.probe(5_000);
  });

  test("a server that drops every connection after the login is told", async () => {
    await rig.server.behave("drop-after-auth");
    const outcome = await openTo(rig).then(
      (connection) => connection.closed,
      (error: unknown) => error,
    );
    expect(outcome).toMatchObject({ code: "CONNECTION_LOST", final: false });
  });

  test("a server that answers no keepalive counts as dead", async () => {
    await rig.server.behave("ignore-keepalive");
    await using connection = await openTo(rig, {
      options: { keepaliveIntervalMs: 1_000, keepaliveCountMax: 1 },
    });
    expect(await connection.closed).toMatchObject({
      code: "TIMED_OUT",
      details: { stage: "keepalive" },
    });
  });
});
