import { join } from "node:path";
import type { RawPeer } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { runChaos } from "../src/chaos.ts";
import { countEffects, readDiary } from "../src/diary.ts";
import type { DiaryEntry } from "../src/diary.ts";
import { createStage } from "../src/stage.ts";

/** Longer runs: `OPENCLAW_CRASH_SECONDS=600`; the same run again: `OPENCLAW_CRASH_SEED=…`. */
const SECONDS = Number(process.env["OPENCLAW_CRASH_SECONDS"] ?? 40);
const SEED = Number(process.env["OPENCLAW_CRASH_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
/** How often an operator sends a key before it gives up; see `operator-main.ts`. */
const ATTEMPTS = 3;
/** Questions of the audit that are asked at once. */
const AUDIT_CONCURRENCY = 64;

interface Status {
  stage: "not-sent" | "queued" | "running" | "finished" | "interrupted";
  recorded: boolean;
  ok?: boolean;
  payload?: unknown;
  error?: { code: string; message: string };
}

interface Audited extends DiaryEntry {
  status: Status;
  /** Runs of the side effect when the faults had ended. */
  before: number;
  /** Runs after the same key was sent again. */
  after: number;
  /** What the same key got as an answer when it was sent again. */
  retry: { ok: boolean; payload?: { payload?: unknown } | undefined; code?: string | undefined };
}

test(
  "no invocation runs twice or stays unknown when Gateway, node, operator and links die at random",
  { timeout: (SECONDS + 180) * 1_000 },
  async () => {
    console.log(`crash test: seed ${SEED}, ${SECONDS} s of faults`);
    await using stage = await createStage({ keepaliveMs: 1_000 });
    const diaryPath = join(stage.directory, "diary.jsonl");

    await using outcome = await runChaos({
      stage,
      seed: SEED,
      durationMs: SECONDS * 1_000,
      diaryPath,
      keysPerOperator: 2_500,
    });
    const { gateway, nodeId, faults } = outcome;
    await using operator = await stage.operator(gateway.url);
    const diary = [...(await readDiary(diaryPath)).values()];
    const audited = await audit({ operator, diary, nodeId, effectsPath: stage.effectsPath });
    summarize(audited, faults);

    expect(audited.length).toBeGreaterThan(1_000);
    expect(keysOf(audited, ({ before }) => before > 1)).toEqual([]);
    expect(keysOf(audited, ({ after }) => after > 1)).toEqual([]);
    // Every key has a stage that will not change by itself any more.
    expect(keysOf(audited, ({ status }) => !isDefinite(status))).toEqual([]);
    // What is said not to have been sent has not run; what finished well has.
    expect(
      keysOf(audited, ({ status, before }) => status.stage === "not-sent" && before > 0),
    ).toEqual([]);
    expect(keysOf(audited, ({ status, before }) => isSuccess(status) && before !== 1)).toEqual([]);
    // An operator that was told of success was told the truth, and the record agrees.
    expect(
      keysOf(audited, ({ answers, status }) => answers.some(({ ok }) => ok) && !isSuccess(status)),
    ).toEqual([]);
    // The same key again gives the stored result; only what was never sent may run now.
    expect(keysOf(audited, ({ status, retry }) => isSuccess(status) && !retry.ok)).toEqual([]);
    expect(
      keysOf(audited, ({ key, retry }) => {
        const payload = retry.payload?.payload as { counted?: string } | undefined;
        return retry.ok && payload?.counted !== key;
      }),
    ).toEqual([]);
    expect(
      keysOf(audited, ({ status, before, after }) => {
        return status.stage !== "not-sent" && after !== before;
      }),
    ).toEqual([]);
    expect(keysOf(audited, ({ retry, after }) => retry.ok && after !== 1)).toEqual([]);
    // Who was told each time that nothing reached the node was told the truth.
    expect(keysOf(audited, (entry) => wasNeverDispatched(entry) && entry.before > 0)).toEqual([]);
    // Nobody was left with a refusal that does not say what it is.
    expect(keysOf(audited, ({ answers }) => answers.some(({ ok, code }) => !ok && !code))).toEqual(
      [],
    );
  },
);

interface AuditInput {
  operator: RawPeer;
  diary: readonly DiaryEntry[];
  nodeId: string;
  effectsPath: string;
}

async function audit(input: AuditInput): Promise<Audited[]> {
  const { operator, diary, nodeId, effectsPath } = input;
  await online(operator, nodeId);
  const statuses = await each(diary, ({ key }) => settledStatus(operator, key));
  const before = await countEffects(effectsPath);
  const retries = await each(diary, async ({ key, params }) => {
    const frame = await operator.request(
      "node.invoke",
      { nodeId, command: "e2e.count", params, timeoutMs: 20_000, idempotencyKey: key },
      { deadlineMs: 30_000 },
    );
    return { ok: frame.ok === true, payload: frame.payload, code: frame.error?.code };
  });
  const after = await countEffects(effectsPath);
  return diary.map((entry, index) => ({
    ...entry,
    status: statuses[index] as Status,
    retry: retries[index] as Audited["retry"],
    before: before.get(entry.key) ?? 0,
    after: after.get(entry.key) ?? 0,
  }));
}

/** Waits until the node is connected and its command may be invoked. */
async function online(operator: RawPeer, nodeId: string): Promise<void> {
  await expect
    .poll(async () => (await operator.call("node.list", {}))["nodes"], { timeout: 20_000 })
    .toMatchObject([{ nodeId, connected: true }]);
}

/** The stage of a key once it stops changing: what still runs is waited for, within reason. */
async function settledStatus(operator: RawPeer, key: string): Promise<Status> {
  const giveUpAt = performance.now() + 20_000;
  for (;;) {
    const status = (await operator.call(
      "node.invoke.status",
      { idempotencyKey: key },
      { deadlineMs: 20_000 },
    )) as unknown as Status;
    if (isDefinite(status) || performance.now() > giveUpAt) return status;
  }
}

async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      // In range: `next` was checked, and nothing ran in between.
      results[index] = await work(items[index] as T);
    }
  };
  await Promise.all(Array.from({ length: AUDIT_CONCURRENCY }, worker));
  return results;
}

function isDefinite({ stage }: Status): boolean {
  return stage === "finished" || stage === "interrupted" || stage === "not-sent";
}

function isSuccess({ stage, ok }: Status): boolean {
  return stage === "finished" && ok === true;
}

/** All attempts of the operator were answered, and each answer says that the node was not asked. */
function wasNeverDispatched({ answers }: DiaryEntry): boolean {
  return (
    answers.length === ATTEMPTS &&
    answers.every(({ ok, details }) => !ok && details?.nodeCommandDispatched === false)
  );
}

function keysOf(audited: readonly Audited[], fits: (entry: Audited) => boolean): string[] {
  return audited
    .filter(fits)
    .slice(0, 5)
    .map(({ key, answers, status, before, after, retry }) =>
      JSON.stringify({ key, answers, status, before, after, retry }),
    );
}

/** What happened, for whoever reads the log of a long run. */
function summarize(audited: readonly Audited[], faults: ReadonlyMap<string, number>): void {
  const tally = (names: Iterable<string>): string => {
    const counts = new Map<string, number>();
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
    return [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
  };
  const answers = audited.flatMap((entry) =>
    entry.answers.map(({ ok, code, message, details }) =>
      ok ? "ok" : (details?.nodeError?.code ?? details?.code ?? message ?? code ?? "none"),
    ),
  );
  console.log(
    [
      `${audited.length} keys; ${[...faults].map(([name, count]) => `${name} ${count}`).join(", ")}`,
      `answers: ${tally(answers)}`,
      `stages: ${tally(audited.map(({ status }) => status.stage))}`,
      `unanswered by a killed operator: ${audited.filter((entry) => entry.answers.length === 0).length}`,
    ].join("\n"),
  );
}
