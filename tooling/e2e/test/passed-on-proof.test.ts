import { connect } from "node:net";
import { connectGateway, createEphemeralIdentity } from "@openclaw/client";
import { createGateway, type GatewayOptions } from "@openclaw/gateway-core";
import { describe, expect, onTestFinished, test } from "vitest";

const token = "the-token-of-the-real-gateway";

/** A device that a Gateway knows, and that has lost its token since; it is let in by its key alone. */
async function forgetfulDevice(options: Partial<GatewayOptions> = {}) {
  const gateway = createGateway({ auth: { mode: "token", token }, drainTimeoutMs: 10, ...options });
  onTestFinished(() => gateway.close());
  const { url, port } = await gateway.listen({ port: 0 });
  const device = {
    identity: createEphemeralIdentity(),
    scopes: ["operator.admin"],
    reconnect: false,
  } as const;
  const paired = await connectGateway({ ...device, url, token });
  await paired.close();
  return {
    url,
    device,
    /** Dials a name; who answers there passes every byte on to the Gateway, and back. */
    dialling: (host: string) =>
      connectGateway({
        ...device,
        url: `ws://${host}:18789`,
        dial: () => Promise.resolve(connect(port, "127.0.0.1")),
      }),
  };
}

describe("a device that brings nothing but its key", () => {
  test("comes in where it is known, by the address that it has dialled", async () => {
    const { url, device } = await forgetfulDevice();
    await using client = await connectGateway({ ...device, url });
    expect(await client.request("health")).toBeDefined();
  });

  test("pain 23: opens nothing for an impostor that passes its proof on to the Gateway", async () => {
    const { dialling } = await forgetfulDevice();
    for (const host of ["impostor.local", "192.168.213.7"])
      await expect(dialling(host)).rejects.toMatchObject({ code: "AUTH_FAILED" });
  });

  test("comes in by a name that the Gateway knows to be its own", async () => {
    const { dialling } = await forgetfulDevice({ allowedHosts: ["gw.local"] });
    await using client = await dialling("gw.local");
    expect(await client.request("health")).toBeDefined();
  });
});
