import { readFile } from "node:fs/promises";

/** The params of an invoke of `e2e.count`. */
interface CountParams {
  key: string;
  beforeMs: number;
  afterMs: number;
}

/** One answer that an operator got. */
interface DiaryAnswer {
  ok: boolean;
  payload?: unknown;
  code?: string;
  message?: string;
  details?: {
    code?: string;
    nodeError?: { code?: string };
    nodeCommandDispatched?: boolean;
  };
}

/** What the operators wrote down about one key. */
export interface DiaryEntry {
  key: string;
  params: CountParams;
  answers: DiaryAnswer[];
}

/**
 * Reads what operators wrote. A line that a dying operator left unfinished is ignored: it stands for
 * an answer that nobody got.
 */
export async function readDiary(path: string): Promise<Map<string, DiaryEntry>> {
  const entries = new Map<string, DiaryEntry>();
  for (const line of await readLines(path)) {
    let parsed: { key: string; params?: CountParams } & DiaryAnswer;
    try {
      // Written by our own operator.
      parsed = JSON.parse(line) as typeof parsed;
    } catch {
      continue;
    }
    const { key, params, ...answer } = parsed;
    if (params) entries.set(key, { key, params, answers: [] });
    else entries.get(key)?.answers.push(answer);
  }
  return entries;
}

/** How often each key occurs in a file of keys. */
export async function countEffects(path: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const key of await readLines(path)) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

async function readLines(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  return text.split("\n").filter((line) => line !== "");
}
