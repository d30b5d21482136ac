import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { createMemoryStore } from "./memory-store.ts";
import { createSqliteStore } from "./sqlite-store.ts";
import type { Store } from "./store.ts";

const kinds: [string, (directory: string) => Store][] = [
  ["memory", () => createMemoryStore()],
  ["sqlite", (directory) => createSqliteStore({ directory })],
];

describe.each(kinds)("the %s store", (_kind, open) => {
  test("reads what was written, and what was edited later is not", async () => {
    await using directory = await temporaryDirectory();
    await using store = open(directory.path);
    const value = { name: "a" };
    store.write([
      { kind: "put", collection: "devices", key: "1", value },
      { kind: "put", collection: "devices", key: "2", value: { name: "b" } },
      { kind: "put", collection: "settings", key: "1", value: "other" },
    ]);
    value.name = "edited";
    store.write([{ kind: "delete", collection: "devices", key: "2" }]);
    expect([...store.read("devices")]).toEqual([["1", { name: "a" }]]);
    expect([...store.read("settings")]).toEqual([["1", "other"]]);
  });

  test("closes twice without complaint", async () => {
    await using directory = await temporaryDirectory();
    const store = open(directory.path);
    await store.close();
    await expect(store.close()).resolves.toBeUndefined();
  });
});

describe("the sqlite store on disk", () => {
  test("keeps its records across processes, readable by its owner only", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "state");
    {
      await using store = createSqliteStore({ directory: path });
      store.write([{ kind: "put", collection: "devices", key: "1", value: { n: 1 } }]);
      store.ledger.open({ key: "k", fingerprint: "f", meta: {} }, () => {});
    }
    await using store = createSqliteStore({ directory: path });
    expect(store.read("devices").get("1")).toEqual({ n: 1 });
    expect(store.ledger.get("k")).toMatchObject({ stage: "open" });
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(join(path, "gateway.sqlite")).mode & 0o777).toBe(0o600);
  });

  test("is one process's at a time", async () => {
    await using directory = await temporaryDirectory();
    await using _store = createSqliteStore({ directory: directory.path });
    expect(() => createSqliteStore({ directory: directory.path })).toThrow(
      expect.objectContaining({ code: "STORE_LOCKED" }),
    );
  });

  test("refuses a file that is no database, and leaves it as it is", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "gateway.sqlite");
    writeFileSync(
      path,
      "this is not a database, but it is long enough to look like one ".repeat(20),
    );
    const before = statSync(path);
    expect(() => createSqliteStore({ directory: directory.path })).toThrow(
      expect.objectContaining({ code: "STORE_UNREADABLE" }),
    );
    expect(statSync(path).size).toBe(before.size);
  });

  test("applies all mutations or none", async () => {
    await using directory = await temporaryDirectory();
    await using store = createSqliteStore({ directory: directory.path });
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    expect(() =>
      store.write([
        { kind: "put", collection: "devices", key: "1", value: 1 },
        { kind: "put", collection: "devices", key: "2", value: circular },
      ]),
    ).toThrow();
    expect(store.read("devices").size).toBe(0);
  });
});
