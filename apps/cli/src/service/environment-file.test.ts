import { existsSync, readFileSync, statSync } from "node:fs";
import { parseEnv } from "node:util";
import { temporaryDirectory } from "@openclaw/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CliError } from "../errors.ts";
import { environmentFilePath, writeEnvironmentFile } from "./environment-file.ts";

test("only this user can read it, and it goes away when there is nothing to keep", async () => {
  await using state = await temporaryDirectory();
  const path = environmentFilePath(state.path, "gateway");
  writeEnvironmentFile(path, { OPENCLAW_GATEWAY_TOKEN: "hush" });
  expect(path).toBe(state.file("service", "gateway.env"));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(state.file("service")).mode & 0o777).toBe(0o700);
  writeEnvironmentFile(path, {});
  expect(existsSync(path)).toBe(false);
});

test("Node reads back every value, or it is refused without being shown", async () => {
  await using state = await temporaryDirectory();
  const path = environmentFilePath(state.path, "node");
  const part = fc.constantFrom(
    "a",
    " ",
    "#",
    "'",
    '"',
    "`",
    "\\",
    "\\n",
    "$A",
    "${A}",
    "=",
    "\n",
    "é",
  );
  const value = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(value, value, (one, other) => {
      try {
        writeEnvironmentFile(path, { ONE: one, OTHER: other });
      } catch (error) {
        expect(error).toBeInstanceOf(CliError);
        expect(`${one}${other}`).toMatch(/["`'\\]/u);
        expect((error as CliError).message).not.toContain("é");
        return;
      }
      expect(parseEnv(readFileSync(path, "utf8"))).toEqual({ ONE: one, OTHER: other });
    }),
  );
});
