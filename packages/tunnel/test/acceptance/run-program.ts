import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Runs a small program to its end; its output is the result. */
export async function runProgram(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { encoding: "utf8" });
  return stdout;
}
