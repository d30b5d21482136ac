/** A Gateway with its state on disk, on a free port, which it prints. */
import { createGateway, createSqliteStore } from "@openclaw/gateway-core";
import { numberOr, required, stderrLogger } from "./environment.ts";

const gateway = createGateway({
  auth: { mode: "token", token: required("E2E_TOKEN") },
  store: createSqliteStore({
    directory: required("E2E_DIRECTORY"),
    ledger: { maxEntries: 1_000_000 },
  }),
  keepalive: { intervalMs: numberOr("E2E_KEEPALIVE_MS", 5_000) },
  nodes: { commands: { allow: ["e2e.count", "e2e.echo"] } },
  logger: stderrLogger,
});
const { port } = await gateway.listen({ host: "127.0.0.1", port: 0 });
console.log(`listening on 127.0.0.1:${port}`);
process.once("SIGTERM", () => void gateway.close().then(() => process.exit(0)));
