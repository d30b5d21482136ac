/**
 * An operator that invokes `e2e.count` with ever new keys and keeps a diary: a line before a key is
 * first sent, and a line with every answer to it.
 */
import { appendFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { createEphemeralIdentity, createGatewayClient, RemoteError } from "@openclaw/client";
import { createSeededRandom } from "../random.ts";
import { numberOr, required, stderrLogger } from "./environment.ts";

const diary = required("E2E_DIARY");
const nodeId = required("E2E_NODE_ID");
const prefix = required("E2E_PREFIX");
const limit = numberOr("E2E_LIMIT", 1_000);
const random = createSeededRandom(numberOr("E2E_SEED", 1));
const CONCURRENCY = 24;

const client = createGatewayClient({
  url: required("E2E_URL"),
  token: required("E2E_TOKEN"),
  identity: createEphemeralIdentity(),
  scopes: ["operator.read", "operator.write"],
  keepalive: { intervalMs: numberOr("E2E_KEEPALIVE_MS", 5_000) },
  backoff: { baseMs: 20, maxMs: 100 },
  logger: stderrLogger,
});

let started = 0;
await client.connect();
console.log("connected");
await Promise.all(Array.from({ length: CONCURRENCY }, work));
console.log("done");
await client.close();

async function work(): Promise<void> {
  while (started < limit) {
    const key = `${prefix}-${(started += 1)}`;
    const params = { key, beforeMs: random.between(0, 3), afterMs: random.between(0, 3) };
    write({ key, params });
    await ask(key, params);
  }
}

/** Invokes until there is an answer from the Gateway, or three times; the same key each time. */
async function ask(key: string, params: object): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await open();
    try {
      const { payload } = await client.request<{ payload: unknown }>("node.invoke", {
        nodeId,
        command: "e2e.count",
        params,
        timeoutMs: 5_000,
        idempotencyKey: key,
      });
      write({ key, ok: true, payload });
      return;
    } catch (error) {
      if (error instanceof RemoteError) {
        write({ key, ok: false, code: error.code, message: error.message, details: error.details });
      } else {
        write({ key, ok: false, code: (error as { code?: string }).code });
      }
      // Give the other side a moment to come back; how long does not matter.
      await delay(random.between(0, 50));
    }
  }
}

/** Resolves when there is a connection. */
async function open(): Promise<void> {
  while (client.state.kind !== "open") {
    await new Promise<void>((resolve) => {
      const off = client.on("state", () => {
        off();
        resolve();
      });
    });
  }
}

function write(entry: object): void {
  appendFileSync(diary, `${JSON.stringify(entry)}\n`);
}
