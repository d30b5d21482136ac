import { expect, test } from "vitest";
import {
  GatewayCredentialsError,
  resolveCredentials,
  RUN_TOKEN_SOURCE,
  type CredentialCaller,
  type CredentialsOptions,
} from "./credentials.ts";
import type { GatewayTargetKind } from "./gateway-target.ts";

const TOKEN = "OPENCLAW_GATEWAY_TOKEN";
const PASSWORD = "OPENCLAW_GATEWAY_PASSWORD";
const CONFIG_KEYS = ["auth.token", "auth.password", "remote.token", "remote.password"] as const;
const RUN = RUN_TOKEN_SOURCE;
const SOURCES = ["--token", "--password", TOKEN, PASSWORD, RUN, ...CONFIG_KEYS];

/** Who is asked, in order, when no flag is given. `?` marks a last resort without a local secret. */
const TABLE: Record<
  CredentialCaller,
  Record<GatewayTargetKind, [string[], string[]] | "refused">
> = {
  operator: {
    "url-flag": "refused",
    "env-url": [[TOKEN], [PASSWORD]],
    "port-flag": [
      ["auth.token", TOKEN, `?${RUN}`, "?remote.token"],
      ["auth.password", PASSWORD],
    ],
    local: [
      ["auth.token", TOKEN, `?${RUN}`, "?remote.token"],
      ["auth.password", PASSWORD],
    ],
    remote: [
      ["remote.token", TOKEN],
      [PASSWORD, "remote.password"],
    ],
  },
  node: {
    "url-flag": [[TOKEN], [PASSWORD]],
    "env-url": [[TOKEN], [PASSWORD]],
    "port-flag": [
      [TOKEN, "auth.token", `?${RUN}`],
      [PASSWORD, "auth.password"],
    ],
    local: [
      [TOKEN, "auth.token", `?${RUN}`],
      [PASSWORD, "auth.password"],
    ],
    remote: [
      [TOKEN, "remote.token"],
      [PASSWORD, "remote.password"],
    ],
  },
};

const CALLERS: CredentialCaller[] = ["operator", "node"];
const KINDS: GatewayTargetKind[] = ["url-flag", "env-url", "port-flag", "local", "remote"];
const CELLS = CALLERS.flatMap((caller) => KINDS.map((kind) => ({ caller, kind })));

/** A situation in which exactly these sources hold a secret, each one its own. */
function optionsWith(
  present: ReadonlySet<string>,
  caller: CredentialCaller,
  kind: GatewayTargetKind,
): CredentialsOptions {
  const value = (name: string) => (present.has(name) ? `secret of ${name}` : undefined);
  const section = (name: string) => ({
    token: value(`${name}.token`),
    password: value(`${name}.password`),
  });
  return {
    caller,
    target: { kind },
    flags: { token: value("--token"), password: value("--password") },
    env: { [TOKEN]: value(TOKEN), [PASSWORD]: value(PASSWORD) },
    config: { gateway: { auth: section("auth"), remote: section("remote") } },
    runToken: value(RUN),
    configPath: "/c/openclaw.json",
  };
}

function expectedSource(
  order: readonly string[],
  present: ReadonlySet<string>,
): string | undefined {
  const hasLocal = ["auth.token", "auth.password", TOKEN, PASSWORD].some((name) =>
    present.has(name),
  );
  return order
    .filter((name) => !name.startsWith("?") || !hasLocal)
    .map((name) => name.replace("?", ""))
    .find((name) => present.has(name));
}

function fullName(source: string | undefined): string | undefined {
  return source?.includes(".") === true ? `gateway.${source}` : source;
}

test.each(CELLS)("the whole table for $caller and $kind", ({ caller, kind }) => {
  const row = TABLE[caller][kind];
  for (let bits = 0; bits < 2 ** SOURCES.length; bits += 1) {
    const present = new Set(SOURCES.filter((_, index) => (bits >> index) % 2 === 1));
    const hasFlag = present.has("--token") || present.has("--password");
    const options = optionsWith(present, caller, kind);
    if (row === "refused" && !hasFlag) {
      expect(() => resolveCredentials(options)).toThrow(GatewayCredentialsError);
      continue;
    }
    const [tokens, passwords] = hasFlag || row === "refused" ? [["--token"], ["--password"]] : row;
    const token = expectedSource(tokens, present);
    const password = expectedSource(passwords, present);
    const result = resolveCredentials(options);
    expect(result.sources).toEqual({
      ...(token === undefined ? {} : { token: fullName(token) }),
      ...(password === undefined ? {} : { password: fullName(password) }),
    });
    expect(result.token).toBe(token && `secret of ${token}`);
    expect(result.password).toBe(password && `secret of ${password}`);
    expect(result.explain()).not.toContain("secret of");
  }
});

test.each(CELLS)("through a tunnel, $caller and $kind: no secret of this machine", (cell) => {
  const everything = new Set(SOURCES.filter((name) => !name.startsWith("--")));
  const options = optionsWith(everything, cell.caller, cell.kind);
  const through = { ...options, target: { kind: cell.kind, via: { kind: "ssh" } } };
  const row = TABLE[cell.caller][cell.kind];
  if (row === "refused") {
    expect(() => resolveCredentials(through)).toThrow(GatewayCredentialsError);
    return;
  }
  const { token, password, explain } = resolveCredentials(through);
  for (const secret of [token, password, explain()]) {
    expect(secret ?? "").not.toMatch(/auth\.|run token/u);
  }
  const isRemote = cell.kind === "remote" || cell.kind === "env-url" || cell.kind === "url-flag";
  expect(token).toBe(isRemote ? resolveCredentials(options).token : undefined);
  expect(password).toBe(isRemote ? resolveCredentials(options).password : undefined);
});

test("--url without credentials says what is missing and both ways on", () => {
  const options = optionsWith(
    new Set([TOKEN, "auth.token", "remote.token"]),
    "operator",
    "url-flag",
  );
  expect(() => resolveCredentials(options)).toThrow(
    expect.objectContaining({
      name: "GatewayCredentialsError",
      type: "gateway_credentials_required",
      configPath: "/c/openclaw.json",
      message: expect.stringContaining("explicit credentials"),
      hint: expect.stringMatching(/--token.*--password.*--url/u),
    }),
  );
});

test("an empty flag is no flag", () => {
  const options = {
    ...optionsWith(new Set(["auth.token"]), "operator", "local"),
    flags: { token: "" },
  };
  expect(resolveCredentials(options).sources).toEqual({ token: "gateway.auth.token" });
});

test("a source is reported under the old name it was found by", () => {
  const env = { MOLTBOT_GATEWAY_TOKEN: "t" };
  const { sources } = resolveCredentials({ env, config: {}, target: { kind: "local" } });
  expect(sources).toEqual({ token: "MOLTBOT_GATEWAY_TOKEN" });
});

test("explain lists every source of the situation in order, with what was found", () => {
  const options: CredentialsOptions = {
    env: { OPENCLAW_GATEWAY_PASSWORD: "hidden" },
    config: { gateway: {} },
    target: { kind: "remote" },
    unresolved: [{ path: "gateway.remote.token", name: "GW_TOKEN" }],
  };
  expect(resolveCredentials(options).explain()).toBe(
    [
      "--token: not set",
      "gateway.remote.token: refers to ${GW_TOKEN}, which is not set",
      "OPENCLAW_GATEWAY_TOKEN: not set",
      "--password: not set",
      "OPENCLAW_GATEWAY_PASSWORD: set",
      "gateway.remote.password: not set",
    ].join("\n"),
  );
});

test("the secret of a local Gateway's run is named where it may be used, and nowhere else", () => {
  const explain = (kind: GatewayTargetKind, caller: CredentialCaller) =>
    resolveCredentials({ ...optionsWith(new Set([RUN, "--token"]), caller, kind) }).explain();
  for (const { caller, kind } of CELLS) {
    const isLocal = kind === "local" || kind === "port-flag";
    expect(explain(kind, caller).includes(`${RUN}: set`)).toBe(isLocal);
  }
});
