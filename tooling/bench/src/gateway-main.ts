/**
 * A Gateway composed from the library alone, for a tree in which the CLI is not built.
 * Directory and token come from the environment.
 */
import { createGateway, createSqliteStore } from "@openclaw/gateway-core";

const directory = process.env["BENCH_STATE_DIR"];
const token = process.env["OPENCLAW_GATEWAY_TOKEN"];
if (!directory || !token) throw new Error("BENCH_STATE_DIR and OPENCLAW_GATEWAY_TOKEN are needed");

const gateway = createGateway({
  auth: { mode: "token", token },
  store: createSqliteStore({ directory }),
});
const port = Number(process.env["OPENCLAW_GATEWAY_PORT"] ?? 0);
await gateway.listen({ host: "127.0.0.1", port });
console.log("listening");
process.once("SIGTERM", () => void gateway.close().then(() => process.exit(0)));
