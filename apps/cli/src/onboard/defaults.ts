import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { asObject } from "@openclaw/app-kit";
import { type JsonObject, type Paths, readEnv } from "@openclaw/config";
import type { CommandContext } from "../program/command-context.ts";
import type { SecretAnswer } from "./answers.ts";

const TOKEN_BYTES = 24;

/** A token as it is made for somebody who has none: 24 random bytes, in hex. */
export function newToken(): SecretAnswer {
  return { kind: "value", value: randomBytes(TOKEN_BYTES).toString("hex") };
}

/** The secret that the config already has for a mode, as it is written there. */
export function presentSecret(config: JsonObject, mode: "token" | "password"): string | undefined {
  const value = asObject(asObject(config["gateway"])["auth"])[mode];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The variable of the environment that holds a password, by the name it has there. */
export function passwordVariable({ env }: Pick<CommandContext, "env">): SecretAnswer | undefined {
  const found = readEnv(env, "OPENCLAW_GATEWAY_PASSWORD");
  return found === undefined ? undefined : { kind: "variable", name: found.name };
}

/** Where agents work, unless the config says something else. */
export function defaultWorkspace({ home, profile }: Paths): string {
  const suffix = profile === undefined || profile === "default" ? "" : `-${profile}`;
  return join(home, ".openclaw", `workspace${suffix}`);
}
