import { RawJson } from "@openclaw/protocol";

/** A method's answer as a value, for callers inside this process. */
export function resolveAnswer(answer: unknown): unknown {
  return answer instanceof RawJson ? JSON.parse(answer.text) : answer;
}
