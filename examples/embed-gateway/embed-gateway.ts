import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createGateway, defineMethod } from "@openclaw/gateway-core";
import { z } from "zod";

const gateway = createGateway({
  auth: { mode: "token", token: process.env["OPENCLAW_GATEWAY_TOKEN"] ?? "" },
  nodes: { commands: { allow: ["demo.greet"] } },
});
gateway.method(
  defineMethod({
    name: "app.greet",
    summary: "Has a node greet somebody.",
    access: "operator.write",
    params: z.strictObject({ nodeId: z.string(), name: z.string() }),
    handler: ({ nodeId, name }) =>
      gateway.call("node.invoke", {
        nodeId,
        command: "demo.greet",
        params: { name },
        idempotencyKey: randomUUID(),
      }),
  }),
);

const server = createServer((_request, response) => response.end("a page of your own\n"));
gateway.attach(server);
server.listen(Number(process.env["PORT"] ?? 18789), "127.0.0.1", () => {
  console.log("listening on", server.address());
});
