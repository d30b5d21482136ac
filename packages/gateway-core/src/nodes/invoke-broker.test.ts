import { createMemoryLedger, type Ledger } from "@openclaw/ledger";
import { CAP_INVOKE_PROGRESS } from "@openclaw/protocol";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Connection } from "../connections/connection.ts";
import { unavailable } from "../errors.ts";
import { silentLogger } from "../logger.ts";
import { outcomeOfText } from "./invocation.ts";
import { type InvokeBroker, type InvokeRequest, createInvokeBroker } from "./invoke-broker.ts";

const NODE = "node-1";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Sent {
  event: string;
  payload: { id: string; idempotencyKey: string; timeoutMs: number };
}

function connect(options: { keepsLedger: boolean; recordsDurably?: boolean; caps?: string[] }): {
  connection: Connection;
  sent: Sent[];
} {
  const sent: Sent[] = [];
  const connection = new Connection(
    {
      connId: "c",
      epoch: 1,
      protocol: 4,
      role: "node",
      scopes: [],
      caps: new Set(options.caps),
      client: { id: "node-host", mode: "node", version: "1", platform: "linux" },
      deviceId: NODE,
      remoteIp: undefined,
      authMethod: "token",
      connectedAtMs: 0,
    },
    {
      send: (text) => void sent.push(JSON.parse(text)),
      sendSoon() {},
      ping() {},
      pause() {},
      resume() {},
      close() {},
      terminate() {},
      bufferedBytes: 0,
      bytesRead: 0,
      bytesWritten: 0,
    },
    { maxBufferedBytes: 1e6, highWaterMarkBytes: 1e5, frameSent: undefined },
  );
  connection.node = {
    nodeId: NODE,
    platform: "linux",
    offered: [],
    declared: { caps: [], commands: [], permissions: {} },
    effective: { caps: [], commands: [], permissions: {} },
    allowed: new Set(),
    pathEnv: undefined,
    keepsLedger: options.keepsLedger,
    recordsDurably: options.recordsDurably ?? false,
    hostStats: undefined,
  };
  return { connection, sent };
}

function start(ledger: Ledger): InvokeBroker {
  return createInvokeBroker({
    ledger,
    now: Date.now,
    maxPerNode: 4,
    abandonAfterMs: 60_000,
    logger: silentLogger,
  });
}

function request(key: string, more: Partial<InvokeRequest> = {}): InvokeRequest {
  return {
    key,
    nodeId: NODE,
    command: "c",
    paramsJSON: "{}",
    timeoutMs: 1_000,
    sessionKey: undefined,
    caller: undefined,
    ...more,
  };
}

const via = (connection: Connection) => () => ({ ok: true, connection }) as const;
const written = (): Promise<unknown> => vi.advanceTimersByTimeAsync(1);
const outcome = outcomeOfText('"done"');

describe("a node that keeps a ledger", () => {
  test("is asked after a reconnect, and its answer is the outcome of the first invoke", async () => {
    const broker = start(createMemoryLedger());
    const { connection, sent } = connect({ keepsLedger: true });
    const first = broker.invoke(request("k"), via(connection));
    const failed = first.catch((error: unknown) => error);
    await written();
    broker.detach(connection);
    expect(await failed).toMatchObject({ details: { code: "DISCONNECTED", stage: "running" } });
    expect(broker.status("k").stage).toBe("running");

    const again = connect({ keepsLedger: true });
    expect(broker.sync(again.connection)).toEqual([
      { id: sent[0]?.payload.id, idempotencyKey: "k" },
    ]);
    const joined = broker.invoke(request("k"), via(again.connection));
    broker.result(again.connection, sent[0]?.payload.id ?? "", outcome, () => {});
    await written();
    expect(await joined).toBe(outcome);
    expect(broker.status("k")).toMatchObject({ stage: "finished", outcome });
    expect(again.sent).toEqual([]);
  });

  test("that never received it frees the key: the next invoke runs", async () => {
    const broker = start(createMemoryLedger());
    const { connection, sent } = connect({ keepsLedger: true });
    broker.invoke(request("k"), via(connection)).catch(() => {});
    await written();
    broker.detach(connection);
    const again = connect({ keepsLedger: true });
    broker.sync(again.connection);
    broker.result(
      again.connection,
      sent[0]?.payload.id ?? "",
      'e{"code":"NOT_RECEIVED"}',
      () => {},
    );
    await written();
    expect(broker.status("k")).toEqual({ stage: "not-sent", recorded: false });
    broker.invoke(request("k"), via(again.connection)).catch(() => {});
    await written();
    expect(again.sent).toHaveLength(1);
  });

  test("that stays away keeps the key running; a retry says so at once and sends nothing", async () => {
    const broker = start(createMemoryLedger());
    const { connection } = connect({ keepsLedger: true });
    broker.invoke(request("k"), via(connection)).catch(() => {});
    await written();
    broker.detach(connection);
    const away = () => ({ ok: false, error: unavailable("node not connected") }) as const;
    await expect(broker.invoke(request("k"), away)).rejects.toMatchObject({
      details: { stage: "running" },
    });
  });

  test("that never comes back is given up after abandonAfterMs", async () => {
    const broker = start(createMemoryLedger());
    const { connection } = connect({ keepsLedger: true });
    broker.invoke(request("k"), via(connection)).catch(() => {});
    await written();
    broker.detach(connection);
    broker.sweep();
    expect(broker.status("k").stage).toBe("running");
    await vi.advanceTimersByTimeAsync(61_000);
    broker.sweep();
    await written();
    expect(broker.status("k").stage).toBe("interrupted");
  });
});

test("what an earlier Gateway left open is found again, and answered by the node", async () => {
  const ledger = createMemoryLedger();
  const { connection, sent } = connect({ keepsLedger: true });
  start(ledger)
    .invoke(request("k"), via(connection))
    .catch(() => {});
  await written();

  const restarted = start(ledger);
  expect(restarted.status("k")).toMatchObject({ stage: "running", recorded: true, nodeId: NODE });
  const again = connect({ keepsLedger: true });
  expect(restarted.sync(again.connection)).toHaveLength(1);
  restarted.result(again.connection, sent[0]?.payload.id ?? "", outcome, () => {});
  await written();
  expect(restarted.status("k").stage).toBe("finished");
});

test("nothing leaves before its record is durable, and what cannot be recorded is not sent", async () => {
  const ledger = createMemoryLedger();
  const committed: ((error?: Error) => void)[] = [];
  vi.spyOn(ledger, "open").mockImplementation((_record, done) => void committed.push(done));
  const broker = start(ledger);
  const { connection, sent } = connect({ keepsLedger: true });
  const failing = broker.invoke(request("a"), via(connection));
  broker.invoke(request("b"), via(connection)).catch(() => {});
  expect(sent).toEqual([]);
  committed[0]?.(new Error("disk full"));
  committed[1]?.();
  await expect(failing).rejects.toMatchObject({
    details: { code: "NOT_RECORDED", nodeCommandDispatched: false, stage: "not-sent" },
  });
  expect(sent.map(({ payload }) => payload.idempotencyKey)).toEqual(["b"]);
});

test("a result is not acknowledged before it is durable, and is taken again when it could not be", async () => {
  const ledger = createMemoryLedger();
  const broker = start(ledger);
  const { connection, sent } = connect({ keepsLedger: true });
  const answer = broker.invoke(request("k"), via(connection));
  await written();
  const id = sent[0]?.payload.id ?? "";
  const finish = vi
    .spyOn(ledger, "finish")
    .mockImplementationOnce((_k, _o, done) => done(new Error("disk full")));
  const acknowledged = vi.fn();
  expect(broker.result(connection, id, outcome, acknowledged)).toBe(true);
  expect(acknowledged).toHaveBeenCalledWith(expect.any(Error));
  finish.mockRestore();
  expect(broker.result(connection, id, outcome, acknowledged)).toBe(true);
  await written();
  expect(acknowledged).toHaveBeenLastCalledWith();
  expect(await answer).toBe(outcome);
});

test("a node that says it never received what began long ago is not believed: it may have forgotten", async () => {
  const broker = start(createMemoryLedger());
  const { connection, sent } = connect({ keepsLedger: true });
  broker.invoke(request("k"), via(connection)).catch(() => {});
  await written();
  broker.detach(connection);
  vi.setSystemTime(Date.now() + 13 * 3_600_000);
  const again = connect({ keepsLedger: true });
  broker.sync(again.connection);
  broker.result(again.connection, sent[0]?.payload.id ?? "", 'e{"code":"NOT_RECEIVED"}', () => {});
  await written();
  expect(broker.status("k").stage).toBe("interrupted");
});

test("an answer waits until the outcome stands in a durable record, the node's or the Gateway's", async () => {
  for (const recordsDurably of [true, false]) {
    const ledger = createMemoryLedger();
    const broker = start(ledger);
    const { connection, sent } = connect({ keepsLedger: true, recordsDurably });
    const answered = vi.fn();
    const acknowledged = vi.fn();
    void broker.invoke(request("k"), via(connection)).then(answered);
    await written();
    let record: () => void = () => {};
    vi.spyOn(ledger, "finish").mockImplementationOnce((_k, _o, done) => void (record = done));
    broker.result(connection, sent[0]?.payload.id ?? "", outcome, acknowledged);
    await written();
    expect(answered).toHaveBeenCalledTimes(recordsDurably ? 1 : 0);
    expect(acknowledged).not.toHaveBeenCalled();
    record();
    await written();
    expect(answered).toHaveBeenCalledExactlyOnceWith(outcome);
    expect(acknowledged).toHaveBeenCalledTimes(1);
  }
});

test("one deadline: 0 and absent mean the default, and the node hears what is left", async () => {
  const broker = start(createMemoryLedger());
  const { connection, sent } = connect({ keepsLedger: true });
  for (const [key, timeoutMs] of [
    ["a", undefined],
    ["b", 0],
    ["c", Number.MAX_SAFE_INTEGER],
    ["d", 5_000],
  ] as const)
    broker.invoke(request(key, { timeoutMs }), via(connection)).catch(() => {});
  await written();
  const budgets = sent.map(({ payload }) => payload.timeoutMs);
  expect(budgets[0]).toBe(budgets[1]);
  expect(budgets[0]).toBeGreaterThan(29_000);
  expect(budgets[2]).toBeGreaterThan(86_000_000);
  expect(budgets[3]).toBeLessThanOrEqual(5_000);
});

test("a node takes only so many invocations at once", async () => {
  const broker = start(createMemoryLedger());
  const { connection } = connect({ keepsLedger: true });
  for (const key of ["a", "b", "c", "d"])
    broker.invoke(request(key), via(connection)).catch(() => {});
  await expect(broker.invoke(request("e"), via(connection))).rejects.toMatchObject({
    retryable: true,
    details: { code: "TOO_MANY_INVOCATIONS", limit: 4 },
  });
});

describe("an invocation that was taken back before its record was durable", () => {
  function slowLedger(): { ledger: Ledger; committed: ((error?: Error) => void)[] } {
    const ledger = createMemoryLedger();
    const committed: ((error?: Error) => void)[] = [];
    vi.spyOn(ledger, "open").mockImplementation((_record, done) => void committed.push(done));
    return { ledger, committed };
  }

  test("is not sent when the record is", async () => {
    const { ledger, committed } = slowLedger();
    const broker = start(ledger);
    const { connection, sent } = connect({ keepsLedger: false });
    const answer = broker.invoke(request("k", { timeoutMs: 10 }), via(connection));
    const failed = answer.catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10);
    expect(await failed).toMatchObject({
      details: { code: "TIMEOUT", nodeCommandDispatched: false, stage: "not-sent" },
    });
    committed[0]?.();
    expect(sent).toEqual([]);
    expect(broker.status("k")).toEqual({ stage: "not-sent", recorded: false });
  });

  test("does not take the key from the one that began after it", async () => {
    const { ledger, committed } = slowLedger();
    const broker = start(ledger);
    const { connection } = connect({ keepsLedger: true });
    broker.invoke(request("k", { timeoutMs: 10 }), via(connection)).catch(() => {});
    await vi.advanceTimersByTimeAsync(10);
    broker.invoke(request("k"), via(connection)).catch(() => {});
    committed[0]?.(new Error("disk full"));
    expect(broker.status("k").stage).toBe("queued");
  });

  test("is not sent into a connection that is being closed", async () => {
    const { ledger, committed } = slowLedger();
    const broker = start(ledger);
    const { connection, sent } = connect({ keepsLedger: false });
    const answer = broker.invoke(request("k"), via(connection));
    connection.close(4001, "gateway auth changed");
    committed[0]?.();
    await expect(answer).rejects.toMatchObject({
      details: { code: "NOT_CONNECTED", nodeCommandDispatched: false, stage: "not-sent" },
    });
    expect(sent).toEqual([]);
    expect(broker.open).toBe(0);
  });
});

test("who joined before the node said what became of it is answered when the node leaves again", async () => {
  const broker = start(createMemoryLedger());
  const { connection } = connect({ keepsLedger: true });
  broker.invoke(request("k"), via(connection)).catch(() => {});
  await written();
  broker.detach(connection);
  const again = connect({ keepsLedger: true });
  const joined = broker.invoke(request("k"), via(again.connection));
  broker.detach(again.connection);
  await expect(joined).rejects.toMatchObject({ details: { code: "DISCONNECTED" } });
});

test("a node that is there and never answers does not keep a key running for ever", async () => {
  const broker = start(createMemoryLedger());
  const { connection } = connect({ keepsLedger: true });
  broker.invoke(request("k"), via(connection)).catch(() => {});
  await vi.advanceTimersByTimeAsync(61_000);
  broker.sweep();
  expect(broker.status("k").stage).toBe("running");
  await vi.advanceTimersByTimeAsync(24 * 3_600_000);
  broker.sweep();
  await written();
  expect(broker.status("k").stage).toBe("interrupted");
  expect(broker.open).toBe(0);
});

test("a broker that closes answers all who wait and leaves no timer behind", async () => {
  const broker = start(createMemoryLedger());
  const { connection } = connect({ keepsLedger: true });
  const first = broker.invoke(request("k"), via(connection));
  await written();
  const joined = broker.invoke(request("k"), via(connection));
  const failures = Promise.allSettled([first, joined]);
  broker.close();
  for (const { status } of await failures) expect(status).toBe("rejected");
  broker.detach(connection);
  expect(vi.getTimerCount()).toBe(0);
});

test("live output goes on after a restart of the Gateway, from wherever the node is", async () => {
  const ledger = createMemoryLedger();
  const { connection, sent } = connect({ keepsLedger: true });
  start(ledger)
    .invoke(request("k"), via(connection))
    .catch(() => {});
  await written();
  const id = sent[0]?.payload.id ?? "";

  const restarted = start(ledger);
  const node = connect({ keepsLedger: true });
  restarted.sync(node.connection);
  const operator = connect({ keepsLedger: false, caps: [CAP_INVOKE_PROGRESS] });
  restarted
    .invoke(request("k", { caller: operator.connection }), via(node.connection))
    .catch(() => {});
  for (const seq of [57, 59, 58]) restarted.progress(node.connection, id, seq, `chunk ${seq}`);
  expect(operator.sent.map(({ payload }) => payload)).toMatchObject(
    [57, 58, 59].map((seq) => ({ seq, chunk: `chunk ${seq}` })),
  );
});
