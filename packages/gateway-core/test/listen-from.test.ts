import { createRawPeer } from "@openclaw/testkit";
import { expect, onTestFinished, test } from "vitest";
import { createGateway } from "../src/index.ts";

const token = "a-token-of-the-listen-from-tests";

test("a listener of one network takes no connection from another", async () => {
  const gateway = createGateway({ auth: { mode: "token", token } });
  onTestFinished(() => gateway.close());
  const { url } = await gateway.listen({ port: 0, from: ["127.8.0.0/16"] });

  await expect(createRawPeer(url, { localAddress: "127.0.0.1" })).rejects.toThrow(/hang up|reset/u);
  await using peer = await createRawPeer(url, { localAddress: "127.8.0.1" });
  await expect(peer.handshake({ token })).resolves.toMatchObject({ type: "hello-ok" });
});

test("a range that is none is refused before anything listens", async () => {
  const gateway = createGateway({ auth: { mode: "token", token } });
  onTestFinished(() => gateway.close());
  await expect(gateway.listen({ port: 0, from: ["somewhere"] })).rejects.toMatchObject({
    code: "OPTIONS_INVALID",
    message: expect.stringContaining("from[0]"),
  });
  expect(gateway.addresses).toEqual([]);
});
