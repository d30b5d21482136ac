const TIMEOUT_MS = 1_500;

/** Whether a page is there; `unknown` where nobody answers, or not in a way that can be judged here. */
export async function findPage(url: string): Promise<"there" | "missing" | "unknown"> {
  try {
    const { status, body } = await fetch(url, {
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await body?.cancel();
    return status === 404 ? "missing" : "there";
  } catch {
    return "unknown";
  }
}
