import { once } from "node:events";
import { hasSshd, sshTestRig } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { openTo } from "./support.ts";

describe.skipIf(!hasSshd)("a connection through the system's ssh", () => {
  test("a channel carries bytes both ways, and each direction ends on its own", async () => {
    await using rig = await sshTestRig();
    await using connection = await openTo(rig);
    const channel = await connection.connect({ host: "127.0.0.1", port: rig.echo.port });
    channel.end("hello");
    const [data] = (await once(channel, "data")) as [Buffer];
    expect(data.toString()).toBe("hello");
    await once(channel, "end");
    await connection.probe(1000);
  });
});
