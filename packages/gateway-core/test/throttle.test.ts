import { createRawPeer, createTestIdentity, UpgradeRefusedError } from "@openclaw/testkit";
import { expect, test, vi } from "vitest";
import { type GatewayOptions, silentLogger } from "../src/index.ts";
import { TOKEN, startTestGateway, type TestGateway } from "./fixture.ts";

/** A clock that stands still until it is moved, so that what is counted is exact. */
async function start(options: Partial<GatewayOptions> = {}) {
  const clock = { now: Date.now() };
  const lines: Record<string, unknown>[] = [];
  const warn = (fields: object, message: string): void => {
    if (message === "authentication failed") lines.push({ ...fields });
  };
  const logger = { ...silentLogger, warn, child: () => logger };
  const t = await startTestGateway({ now: () => clock.now, logger, ...options });
  return { t, clock, lines };
}

const RATE_LIMITED = {
  code: "INVALID_REQUEST",
  retryable: true,
  retryAfterMs: expect.any(Number),
  details: {
    code: "AUTH_RATE_LIMITED",
    authReason: "rate_limited",
    recommendedNextStep: "wait_then_retry",
  },
};

/** One guess; true when it was looked at. */
async function guess(t: TestGateway, more: object = {}): Promise<boolean> {
  await using peer = await createRawPeer(t.url);
  const { error } = await peer.connect({ token: "a wrong one", identity: false, ...more });
  return error?.details?.["code"] === "AUTH_TOKEN_MISMATCH";
}

test("after three wrong secrets the next has to wait, is told how long, and the right one does too", async () => {
  const { t, clock } = await start();
  await using _ = t;
  for (let n = 0; n < 4; n += 1) {
    expect(await guess(t)).toBe(true);
    clock.now += 500;
  }
  clock.now -= 400;
  const refused = await (await t.peer()).connect({ token: TOKEN, identity: false });
  expect(refused.error).toMatchObject(RATE_LIMITED);
  clock.now += refused.error?.retryAfterMs ?? 0;
  await t.operator();
});

test("pain 19: a paired device comes in at once while others behind its address guess", async () => {
  const { t } = await start();
  await using _ = t;
  const identity = createTestIdentity();
  const ask = { identity, scopes: ["operator.read"] };
  const hello = await (await t.peer()).handshake({ token: TOKEN, ...ask });
  const { deviceToken } = hello["auth"] as { deviceToken: string };
  for (let n = 0; n < 20; n += 1) await guess(t, { clientId: "test" });
  for (let n = 0; n < 20; n += 1) await guess(t, { identity: createTestIdentity() });
  expect(await guess(t)).toBe(false);
  for (const credential of [{ token: TOKEN }, { deviceToken }, { keyFor: "127.0.0.1" }])
    await (await t.peer()).handshake({ ...credential, ...ask });
});

test("pain 19: a device that guesses the secret is slowed, and still comes in by its own token", async () => {
  const { t } = await start();
  await using _ = t;
  const identity = createTestIdentity();
  const ask = { identity, scopes: ["operator.read"] };
  const hello = await (await t.peer()).handshake({ token: TOKEN, ...ask });
  const { deviceToken } = hello["auth"] as { deviceToken: string };
  const looked: boolean[] = [];
  for (let n = 0; n < 8; n += 1) looked.push(await guess(t, ask));
  expect(looked.filter(Boolean)).toHaveLength(4);
  await (await t.peer()).handshake({ deviceToken, ...ask });
  // A claim without the key is somebody else's, and costs the device nothing.
  const thief = createTestIdentity();
  const mutate = (params: Record<string, unknown>): Record<string, unknown> => ({
    ...params,
    device: { ...(params["device"] as object), id: identity.deviceId },
  });
  for (let n = 0; n < 8; n += 1)
    await (await t.peer()).connect({ token: "wrong", identity: thief, mutate });
  await (await t.peer()).handshake({ deviceToken, ...ask });
});

test("pain 19: a missing credential is not a guess", async () => {
  const { t } = await start();
  await using _ = t;
  for (let n = 0; n < 30; n += 1) {
    await using peer = await createRawPeer(t.url);
    const { error } = await peer.connect({ identity: false });
    expect(error?.details).toMatchObject({ code: "AUTH_TOKEN_MISSING" });
  }
  await t.operator();
});

test("wrong setup codes are guesses as well, and do not pause the shared secret", async () => {
  const { t, clock } = await start();
  await using _ = t;
  const identity = createTestIdentity();
  const codes: unknown[] = [];
  for (let n = 0; n < 6; n += 1) {
    await using peer = await createRawPeer(t.url);
    const answer = await peer.connect({ identity, bootstrapToken: `wrong-${n}` });
    codes.push(answer.error?.details?.["code"]);
    clock.now += 200;
  }
  expect(codes).toContain("AUTH_RATE_LIMITED");
  expect(codes[0]).toBe("AUTH_BOOTSTRAP_TOKEN_INVALID");
  await (await t.peer()).handshake({ identity, token: TOKEN });
});

test("ten seconds of guessing from fifty connections: at most five tries a second, and a client connects meanwhile", async () => {
  const { t, clock } = await start();
  await using _ = t;
  const identity = createTestIdentity();
  const ask = { identity, scopes: ["operator.read"] };
  await (await t.peer()).handshake({ token: TOKEN, ...ask });
  let looked = 0;
  for (let second = 0; second < 10; second += 1) {
    const inThisSecond = await Promise.all(
      Array.from({ length: 50 }, (_unused, n) =>
        guess(t, n % 2 ? {} : { identity: createTestIdentity() }),
      ),
    );
    expect(inThisSecond.filter(Boolean).length).toBeLessThanOrEqual(5);
    looked += inThisSecond.filter(Boolean).length;
    // A device that is paired, and a program that has done nothing wrong, as far as the ceiling goes.
    await using peer = await createRawPeer(t.url);
    await peer.handshake({ ...ask, keyFor: "127.0.0.1" });
    clock.now += 1_000;
  }
  expect(looked).toBeLessThanOrEqual(50);
}, 60_000);

test("for real: while fifty connections guess as fast as they can, a client is answered among them", async () => {
  await using t = await startTestGateway();
  const identity = createTestIdentity();
  const ask = { identity, scopes: ["operator.read"] };
  await (await t.peer()).handshake({ token: TOKEN, ...ask });
  let tries = 0;
  let looked = 0;
  let isOver = false;
  const startedAt = performance.now();
  const guesser = async (): Promise<void> => {
    while (!isOver) {
      try {
        if (await guess(t)) looked += 1;
      } catch (error) {
        // Busy: a guesser may be turned away at the door.
        if (!(error instanceof UpgradeRefusedError)) throw error;
      }
      tries += 1;
    }
  };
  const guessers = Array.from({ length: 50 }, guesser);
  // The crowd is moving before anybody joins it.
  await vi.waitFor(() => expect(tries).toBeGreaterThan(100), { timeout: 20_000, interval: 5 });
  const overtaken: number[] = [];
  for (let n = 0; n < 5; n += 1) {
    const before = tries;
    await using peer = await createRawPeer(t.url);
    await peer.handshake({ ...ask, keyFor: "127.0.0.1" });
    overtaken.push(tries - before);
  }
  isOver = true;
  await Promise.all(guessers);
  const seconds = Math.ceil((performance.now() - startedAt) / 1_000);
  expect(looked).toBeLessThanOrEqual(5 * seconds);
  // It waits for its turn among those fifty, and not for theirs to end.
  expect(Math.min(...overtaken)).toBeLessThan(150);
}, 60_000);

test("failed logins collapse into a line with count and times, and hold no secret", async () => {
  const { t, lines } = await start();
  for (let n = 0; n < 30; n += 1) await guess(t);
  await t[Symbol.asyncDispose]();
  const told = lines.filter(({ reason }) => reason === "rate_limited");
  expect(told.map(({ count }) => count)).toEqual([1, expect.any(Number)]);
  expect(lines.reduce((sum, { count }) => sum + Number(count), 0)).toBe(30);
  expect(told[1]).toMatchObject({
    address: "127.0.0.1",
    identity: "cli/cli",
    first: expect.any(String),
    last: expect.any(String),
  });
  expect(JSON.stringify(lines)).not.toContain("a wrong one");
});

test("limits can be set while it runs; 0 and negative ones are refused by name", async () => {
  const { t, clock } = await start();
  await using _ = t;
  t.gateway.update({ throttle: { maxGuessesPerSecond: 1 } });
  expect([await guess(t), await guess(t)]).toEqual([true, false]);
  expect(() => t.gateway.update({ throttle: { maxAttempts: 0 } })).toThrow(/throttle\.maxAttempts/);
  await expect(startTestGateway({ throttle: { windowMs: -1 } })).rejects.toMatchObject({
    code: "OPTIONS_INVALID",
  });
  clock.now += 10_000;
  await t.operator();
});

test("a flood from another machine that sent wrong secrets is answered 429, with when to come back", async () => {
  const { t, clock } = await start({ trustedProxies: ["127.0.0.1"] });
  await using _ = t;
  const headers = { "X-Forwarded-For": "203.0.113.9" };
  const attempt = async (): Promise<number> => {
    try {
      await using peer = await createRawPeer(t.url, { headers });
      await peer.connect({ token: "wrong", identity: false });
      return 101;
    } catch (error) {
      if (error instanceof UpgradeRefusedError) return error.statusCode;
      throw error;
    }
  };
  const statuses: number[] = [];
  for (let n = 0; n < 60; n += 1) statuses.push(await attempt());
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(8);
  // Nobody else is concerned, and the flood itself may come back a second later.
  await t.operator();
  clock.now += 1_000;
  expect(await attempt()).toBe(101);
});

test("pain 19: a setup code beside the secret, good or bad, does not hide a guess at the secret", async () => {
  for (const identity of [false as const, createTestIdentity()]) {
    const { t } = await start();
    await using _ = t;
    for (let n = 0; n < 12; n += 1) {
      await using peer = await createRawPeer(t.url);
      const refused = await peer.connect({ token: "a wrong one", bootstrapToken: "x", identity });
      expect(refused.ok).toBe(false);
    }
    const right = await (await t.peer()).connect({ token: TOKEN, bootstrapToken: "x", identity });
    expect(right.ok).toBe(false);
    const plain = await (await t.peer()).connect({ token: TOKEN, identity });
    expect(plain.error).toMatchObject(RATE_LIMITED);
  }
});

test("pain 19: a device that comes in by its own token does not guess the secret on the side", async () => {
  const { t } = await start();
  await using _ = t;
  const ask = { identity: createTestIdentity(), scopes: ["operator.read"] };
  const hello = await (await t.peer()).handshake({ token: TOKEN, ...ask });
  const { deviceToken } = hello["auth"] as { deviceToken: string };
  for (let n = 0; n < 12; n += 1)
    await (await t.peer()).handshake({ token: `wrong-${n}`, deviceToken, ...ask });
  const method = async (credential: object): Promise<unknown> =>
    (await (await t.peer()).connect({ ...credential, ...ask })).error?.details?.["code"];
  expect(await method({ token: TOKEN })).toBe("AUTH_RATE_LIMITED");
  await (await t.peer()).handshake({ deviceToken, ...ask });
});

test("whoever is slowed down learns of no device whether it is paired", async () => {
  const { t } = await start();
  await using _ = t;
  const paired = createTestIdentity();
  await (await t.peer()).handshake({ token: TOKEN, identity: paired, scopes: ["operator.read"] });
  for (let n = 0; n < 8; n += 1) await guess(t, { instanceId: `guesser ${n}` });
  const answers: unknown[] = [];
  for (const { deviceId } of [paired, createTestIdentity()]) {
    const claim = (params: Record<string, unknown>): Record<string, unknown> => ({
      ...params,
      device: { ...(params["device"] as object), id: deviceId },
    });
    const answer = await (await t.peer()).connect({ token: "wrong", mutate: claim });
    answers.push(answer.error?.details?.["code"]);
  }
  expect(answers).toEqual(["AUTH_RATE_LIMITED", "AUTH_RATE_LIMITED"]);
});
