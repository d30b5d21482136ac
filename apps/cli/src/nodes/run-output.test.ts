import { expect, test } from "vitest";
import { createRunOutput } from "./run-output.ts";

function capture() {
  const seen = { stdout: "", stderr: "" };
  const output = createRunOutput(
    { write: (text) => void (seen.stdout += text) },
    { write: (text) => void (seen.stderr += text) },
  );
  return { seen, output };
}

test("without live output the result is printed", () => {
  const { seen, output } = capture();
  output.finish({ stdout: "a\n", stderr: "b\n" });
  expect(seen).toEqual({ stdout: "a\n", stderr: "b\n" });
});

test("what was shown live is not repeated, and what is missing at the end is added", () => {
  const { seen, output } = capture();
  output.progress('{"stream":"stdout","text":"a\\n"}');
  output.finish({ stdout: "a\nb\n" });
  expect(seen.stdout).toBe("a\nb\n");
});

test("a result that was cut shorter than the live output adds nothing", () => {
  const { seen, output } = capture();
  output.progress('{"stream":"stdout","text":"abcdef"}');
  output.finish({ stdout: "…def" });
  expect(seen.stdout).toBe("abcdef");
});

test("progress that is free text goes to stderr", () => {
  const { seen, output } = capture();
  output.progress("50 %");
  expect(seen.stderr).toBe("50 %");
});
