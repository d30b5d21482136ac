import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createFakeNode, createRawPeer } from "@openclaw/testkit";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { RequestError, createGateway, defineMethod } from "../src/index.ts";
import { TOKEN, invokeParams, startTestGateway } from "./fixture.ts";

test("a Gateway lives on an http server of its embedder's, and leaves its requests alone", async () => {
  const gateway = createGateway({ auth: { mode: "token", token: TOKEN } });
  const server = createServer((request, response) => {
    if (!gateway.handleRequest(request, response)) response.end("my own page");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    await gateway.close();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const detach = gateway.attach(server, { path: "/gateway" });

  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("my own page");
  expect(await (await fetch(`http://127.0.0.1:${port}/healthz`)).json()).toMatchObject({
    ok: true,
  });
  await using node = await createFakeNode(`ws://127.0.0.1:${port}/gateway`, {
    token: TOKEN,
    commands: ["system.run"],
    answer: ({ params }) => ({ ok: true, payload: params }),
  });
  const answer = await gateway.call("node.invoke", invokeParams(node.nodeId));
  expect(answer).toMatchObject({ ok: true, payload: { n: 1 } });

  detach();
  await expect(createRawPeer(`ws://127.0.0.1:${port}/gateway`)).rejects.toThrow();
});

test("a method of the embedder's is advertised, authorised, validated and answered like any other", async () => {
  await using t = await startTestGateway();
  t.gateway.method(
    defineMethod({
      name: "app.double",
      access: "operator.write",
      params: z.strictObject({ n: z.number() }),
      summary: "Twice a number.",
      handler: async ({ n }, { caller }) => {
        if (n > 100)
          throw new RequestError("INVALID_REQUEST", "too much", { details: { max: 100 } });
        if (n < 0) throw new Error("a secret of the embedder's");
        return { twice: n * 2, scopes: caller.scopes };
      },
    }),
  );
  const writer = await t.operator({ scopes: ["operator.write"] });
  const hello = writer.received.find((frame) => frame.type === "res")?.payload;

  expect(hello).toMatchObject({ features: { methods: expect.arrayContaining(["app.double"]) } });
  expect(await writer.call("app.double", { n: 4 })).toEqual({
    twice: 8,
    scopes: ["operator.write"],
  });
  expect((await writer.request("app.double", {})).error?.message).toBe(
    "invalid app.double params: must have required property 'n'",
  );
  expect((await writer.request("app.double", { n: 101 })).error).toEqual({
    code: "INVALID_REQUEST",
    message: "too much",
    details: { max: 100 },
  });
  const fault = await writer.request("app.double", { n: -1 });
  expect(JSON.stringify(fault)).not.toContain("secret");
  expect(fault.error?.code).toBe("UNAVAILABLE");
  const reader = await t.operator({ scopes: ["operator.read"] });
  expect((await reader.request("app.double", { n: 1 })).error?.code).toBe("FORBIDDEN");
  expect(() =>
    t.gateway.method({
      name: "health",
      access: "any",
      params: z.any(),
      summary: "",
      handler: () => 1,
    }),
  ).toThrow("exists already");
});

test("a call from inside holds every right and hears the same refusals", async () => {
  await using t = await startTestGateway();
  await expect(t.gateway.call("node.describe", { nodeId: "nobody" })).rejects.toMatchObject({
    code: "INVALID_REQUEST",
    message: "unknown nodeId",
  });
  expect(await t.gateway.call("device.pair.list")).toEqual({ pending: [], paired: [] });
});

test("bad options are refused by name", () => {
  expect(() => createGateway({ auth: { mode: "token", token: " " } })).toThrow(
    "auth.token is empty",
  );
  expect(() => createGateway({ auth: { mode: "none" }, limits: { maxFrameBytes: 0 } })).toThrow(
    "limits.maxFrameBytes must be a number above 0",
  );
});

test("a port that is taken is an error of its own, and nothing listens wider", async () => {
  await using t = await startTestGateway();
  const second = createGateway({ auth: { mode: "token", token: TOKEN } });
  await expect(second.listen({ port: t.address.port })).rejects.toMatchObject({
    code: "PORT_IN_USE",
    hint: expect.stringContaining("another port"),
  });
  await expect(second.listen({ port: 0, host: "203.0.113.7" })).rejects.toMatchObject({
    code: "BIND_REFUSED",
  });
  await second.close();
});
