import { PassThrough } from "node:stream";
import { expect, onTestFinished, test, vi } from "vitest";
import type { SshConnection } from "../engines/engine.ts";
import { TunnelError, type TunnelErrorCode } from "../errors.ts";
import { silentLogger } from "../logger.ts";
import type { TunnelState } from "../tunnel-state.ts";
import { supervise, type SupervisorOptions } from "./supervisor.ts";

interface FakeConnection extends SshConnection {
  lose(code?: TunnelErrorCode): void;
  readonly isGone: boolean;
}

function fakeConnection(): FakeConnection {
  const closed = Promise.withResolvers<TunnelError | undefined>();
  let isGone = false;
  const end = (cause: TunnelError | undefined): void => {
    isGone = true;
    closed.resolve(cause);
  };
  return {
    info: { name: "ssh2", version: "1", reason: "a test", cryptography: "javascript" },
    connect: () => Promise.resolve(new PassThrough()),
    run: () => Promise.resolve({ exitCode: 0, signal: null, stdout: "", stderr: "" }),
    probe: vi.fn(() => Promise.resolve()),
    close: async () => end(undefined),
    terminate: () => end(undefined),
    closed: closed.promise,
    lose: (code = "CONNECTION_LOST") => end(new TunnelError(code, "lost.")),
    get isGone() {
      return isGone;
    },
  };
}

function supervised(options: Partial<SupervisorOptions> = {}) {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const states: TunnelState[] = [];
  const connections: FakeConnection[] = [];
  const outcomes: (TunnelErrorCode | "hang")[] = [];
  let attempts = 0;
  const supervisor = supervise({
    open: async (signal) => {
      attempts += 1;
      const outcome = outcomes.shift();
      if (outcome === "hang") {
        await new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
        });
      }
      if (outcome !== undefined && outcome !== "hang") throw new TunnelError(outcome, "no.");
      const connection = fakeConnection();
      connections.push(connection);
      return connection;
    },
    reconnect: true,
    backoff: { baseMs: 250, maxMs: 15_000 },
    stableAfterMs: 10_000,
    waitTimeoutMs: 5_000,
    maxWaiting: 4,
    probeTimeoutMs: 500,
    random: () => 0.999,
    logger: silentLogger,
    onState: (state) => states.push(state),
    onLost: () => {},
    ...options,
  });
  return {
    supervisor,
    states,
    connections,
    outcomes,
    kinds: () => states.map(({ kind }) => kind),
    attempts: () => attempts,
  };
}

const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

test("opens, and is closed by close() without a cause and without a timer left", async () => {
  const { supervisor, kinds, connections } = supervised();
  await settled();
  expect(supervisor.state).toMatchObject({ kind: "open", generation: 1 });
  await Promise.all([supervisor.close(), supervisor.close()]);
  expect(kinds()).toEqual(["connecting", "open", "draining", "closed"]);
  await expect(supervisor.closed).resolves.toBeUndefined();
  expect(connections[0]?.isGone).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
  await expect(supervisor.whenOpen(undefined)).rejects.toMatchObject({ code: "CLOSED" });
});

test("comes back after a loss, under the next generation, one attempt at a time", async () => {
  const { supervisor, connections, attempts } = supervised();
  await settled();
  for (let round = 1; round <= 20; round += 1) {
    connections.at(-1)?.lose();
    // oxlint-disable-next-line no-await-in-loop
    await vi.advanceTimersByTimeAsync(2_500);
    expect(supervisor.state).toMatchObject({ kind: "open", generation: round + 1 });
  }
  expect(attempts()).toBe(21);
  expect(connections.filter(({ isGone }) => !isGone)).toHaveLength(1);
  await supervisor.close();
});

test("the backoff grows, and starts anew only after a stable while", async () => {
  const { supervisor, connections, outcomes, states } = supervised();
  await settled();
  outcomes.push("CONNECTION_REFUSED", "CONNECTION_REFUSED", "CONNECTION_REFUSED");
  connections[0]?.lose();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(supervisor.state.kind).toBe("open");
  connections.at(-1)?.lose();
  await settled();
  expect(states.at(-1)).toMatchObject({ kind: "waiting", attempt: 5 });
  await vi.advanceTimersByTimeAsync(30_000);
  connections.at(-1)?.lose();
  await settled();
  expect(states.at(-1)).toMatchObject({ kind: "waiting", attempt: 1 });
  await supervisor.close();
});

test.each([
  "HOST_KEY_CHANGED",
  "HOST_KEY_UNKNOWN",
  "AUTHENTICATION_REFUSED",
  "NO_COMMON_ALGORITHM",
] as const)("%s is final: there is no second attempt", async (code) => {
  const { supervisor, outcomes, attempts, connections } = supervised();
  await settled();
  outcomes.push(code);
  connections[0]?.lose();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(attempts()).toBe(2);
  expect(supervisor.state).toMatchObject({ kind: "closed", cause: { code } });
  await expect(supervisor.closed).resolves.toMatchObject({ code });
  expect(vi.getTimerCount()).toBe(0);
});

test("who waits gets the next connection; who waits when it is over hears why", async () => {
  const { supervisor, connections, outcomes } = supervised();
  await settled();
  connections[0]?.lose();
  await settled();
  const waiting = supervisor.whenOpen(undefined);
  await vi.advanceTimersByTimeAsync(2_500);
  await expect(waiting).resolves.toBe(connections[1]);
  outcomes.push("HOST_KEY_CHANGED");
  connections[1]?.lose();
  await settled();
  await Promise.all([
    expect(supervisor.whenOpen(undefined)).rejects.toMatchObject({ code: "HOST_KEY_CHANGED" }),
    vi.advanceTimersByTimeAsync(2_500),
  ]);
});

test("close() during an attempt ends the attempt, and what it opens late is dropped", async () => {
  const { supervisor, outcomes, connections } = supervised();
  await settled();
  outcomes.push("hang");
  connections[0]?.lose();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(supervisor.state.kind).toBe("connecting");
  await supervisor.close();
  expect(supervisor.state.kind).toBe("closed");
  expect(vi.getTimerCount()).toBe(0);

  const late = Promise.withResolvers<SshConnection>();
  const connection = fakeConnection();
  const other = supervised({ open: () => late.promise });
  const closing = other.supervisor.close();
  late.resolve(connection);
  await closing;
  expect(connection.isGone).toBe(true);
  expect(other.kinds()).toEqual(["connecting", "closed"]);
});

test("a locked agent is asked seldom: the server counts refusals", async () => {
  const { supervisor, outcomes, connections, attempts } = supervised();
  await settled();
  outcomes.push("AGENT_LOCKED", "AGENT_LOCKED", "AGENT_LOCKED", "AGENT_LOCKED", "AGENT_LOCKED");
  connections[0]?.lose();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(attempts()).toBeLessThanOrEqual(4);
  expect(supervisor.state.kind).toBe("waiting");
  await supervisor.close();
});

test("after sleep it asks at once, and tries at once instead of after the pause", async () => {
  const { supervisor, connections, outcomes, attempts } = supervised();
  await settled();
  vi.setSystemTime(Date.now() + 3_600_000);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(connections[0]?.probe).toHaveBeenCalledOnce();
  outcomes.push(...Array.from({ length: 12 }, () => "HOST_UNREACHABLE" as const));
  connections[0]?.lose();
  await vi.advanceTimersByTimeAsync(8_000);
  outcomes.length = 0;
  const before = attempts();
  await supervisor.probe();
  await settled();
  expect(attempts()).toBe(before + 1);
  expect(supervisor.state.kind).toBe("open");
  await supervisor.close();
});

test("without reconnect the first loss is the end", async () => {
  const { supervisor, connections, attempts } = supervised({ reconnect: false });
  await settled();
  connections[0]?.lose();
  await settled();
  expect(supervisor.state).toMatchObject({ kind: "closed", cause: { code: "CONNECTION_LOST" } });
  expect(attempts()).toBe(1);
});

test("nothing begins anew after close(), whoever asks", async () => {
  const open = vi.fn(() => Promise.reject(new TunnelError("CONNECTION_REFUSED", "no.")));
  const { supervisor, kinds } = supervised({ open });
  await settled();
  expect(kinds().at(-1)).toBe("waiting");
  const closing = supervisor.close();
  await supervisor.probe();
  await closing;
  expect(kinds()).toEqual(["connecting", "waiting", "closed"]);
  expect(open).toHaveBeenCalledOnce();
});
