import { writeFile } from "node:fs/promises";
import { temporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { prepareEnvironment } from "./prepare-environment.ts";

test("old names, .env files and the profile are taken in, and the caller's object stays as it was", async () => {
  await using home = await temporaryDirectory();
  await writeFile(home.file(".env"), "FROM_FILE=1\nOPENCLAW_GATEWAY_TOKEN=not-from-here\n");
  const given = { HOME: home.path, CLAWDBOT_GATEWAY_PORT: "4000" };
  const io = { env: given, homedir: "/nowhere", cwd: home.path };

  const { env, paths, warnings } = await prepareEnvironment(io, "work");

  expect(env).toMatchObject({
    OPENCLAW_GATEWAY_PORT: "4000",
    FROM_FILE: "1",
    OPENCLAW_PROFILE: "work",
    OPENCLAW_STATE_DIR: home.file(".openclaw-work"),
  });
  expect(env).not.toHaveProperty("OPENCLAW_GATEWAY_TOKEN");
  expect(paths).toMatchObject({ profile: "work", stateDir: home.file(".openclaw-work") });
  expect(warnings).toEqual([expect.stringContaining("CLAWDBOT_GATEWAY_PORT")]);
  expect(given).toEqual({ HOME: home.path, CLAWDBOT_GATEWAY_PORT: "4000" });
});

test("the .env file of the state directory may hold secrets and name the profile's port", async () => {
  await using home = await temporaryDirectory();
  await writeFile(home.file(".env"), "OPENCLAW_GATEWAY_TOKEN=secret\n");
  const given = { HOME: "/nowhere", OPENCLAW_STATE_DIR: home.path };
  const { env } = await prepareEnvironment({ env: given, homedir: "/", cwd: "/nowhere" }, "dev");
  expect(env).toMatchObject({ OPENCLAW_GATEWAY_TOKEN: "secret", OPENCLAW_GATEWAY_PORT: "19001" });
});
