import { readFile, realpath } from "node:fs/promises";

/**
 * Config files under other names that say something else than the one that counts. Somebody may edit
 * them and wonder why nothing changes.
 *
 * @param configPath the one that counts.
 * @param candidates every place where one was looked for; see `Paths.configCandidates`.
 */
export async function findRivalConfigs(
  configPath: string,
  candidates: readonly string[],
): Promise<string[]> {
  const counting = await look(configPath);
  if (counting === undefined) return [];
  const rivals: string[] = [];
  for (const path of candidates) {
    // A handful of small files, told in their order.
    // oxlint-disable-next-line no-await-in-loop
    const other = await look(path);
    if (other === undefined || other.file === counting.file || other.text === counting.text)
      continue;
    rivals.push(path);
  }
  return rivals;
}

async function look(path: string): Promise<{ file: string; text: string } | undefined> {
  try {
    return { file: await realpath(path), text: await readFile(path, "utf8") };
  } catch {
    return undefined;
  }
}
