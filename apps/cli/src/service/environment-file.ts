import { rmSync } from "node:fs";
import { join } from "node:path";
import { writePrivateFile } from "@openclaw/app-kit";
import type { ServiceKind } from "@openclaw/service";
import { CliError } from "../errors.ts";

/** The file of variables that Node reads when a service starts; only this user can read it. */
export function environmentFilePath(stateDir: string, kind: ServiceKind): string {
  return join(stateDir, "service", `${kind}.env`);
}

/**
 * Writes the variables of a service, mode 0600, or removes the file when there are none.
 *
 * @throws {CliError} when one cannot be written so that Node reads it back
 */
export function writeEnvironmentFile(
  path: string,
  variables: Readonly<Record<string, string>>,
): void {
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${quote(name, value)}\n`);
  if (lines.length === 0) removeEnvironmentFile(path);
  else writePrivateFile(path, lines.join(""));
}

export function removeEnvironmentFile(path: string): void {
  rmSync(path, { force: true });
}

/** Node takes what stands between quotes as it is, but for `\n` between double ones. */
function quote(name: string, value: string): string {
  const mark = ["'", "`", '"'].find(
    (candidate) => !value.includes(candidate) && !(candidate === '"' && value.includes("\\n")),
  );
  if (mark === undefined || value.includes("\r")) {
    throw new CliError(
      "cli_error",
      `${name} holds quotes of every kind, and cannot be kept in a file.`,
      {
        hints: ["Choose another secret: openssl rand -hex 24"],
        fields: { kind: "unsupported" },
      },
    );
  }
  return `${mark}${value}${mark}`;
}
