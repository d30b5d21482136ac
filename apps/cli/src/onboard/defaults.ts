import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { asObject } from "@openclaw/app-kit";
import { type JsonObject, type LooseConfig, type Paths, readEnv } from "@openclaw/config";
import type { CommandContext } from "../program/command-context.ts";
import type { LocalAnswers, SecretAnswer } from "./answers.ts";

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

/** How the Gateway of the config that is there knows its clients; undefined while nothing says so. */
export function presentAuthMode(config: JsonObject): LocalAnswers["auth"]["mode"] | undefined {
  const { mode } = asObject(asObject(config["gateway"])["auth"]);
  if (mode === "password" || mode === "none" || mode === "trusted-proxy") return mode;
  // As the Gateway chooses: a password that is known counts.
  if (mode !== "token" && presentSecret(config, "password") !== undefined) return "password";
  return presentSecret(config, "token") === undefined ? undefined : "token";
}

/** A config in which a secret that is a reference to a variable is there, as that reference. */
export function withSecretReferences({
  config,
  unresolved,
}: Pick<LooseConfig, "config" | "unresolved">): JsonObject {
  const gateway = asObject(config["gateway"]);
  const references = unresolved.flatMap(({ path, name }): [string, string][] => {
    const mode = ["token", "password"].find((one) => path === `gateway.auth.${one}`);
    return mode === undefined ? [] : [[mode, `\${${name}}`]];
  });
  if (references.length === 0) return config;
  const auth = { ...asObject(gateway["auth"]), ...Object.fromEntries(references) };
  return { ...config, gateway: { ...gateway, auth } };
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
