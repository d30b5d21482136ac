import { deepStrictEqual as equal, match, partialDeepStrictEqual as contains } from "node:assert";
import type { Program } from "./program.ts";

/** Takes a step at one half; see {@link Checklist.step}. */
export type TakeStep = <T>(name: string, take: () => Promise<T>) => Promise<T | undefined>;

/** What the older and the newer command lines both print for a healthy Gateway is the same. */
export async function takeHealthSteps(step: TakeStep, cli: Program, who: string): Promise<void> {
  await step(`${who}: health`, async () => {
    await cli.ok("health");
    contains((await cli.ok("health", "--json")).json(), { ok: true });
  });
  await step(`${who}: gateway health`, async () => {
    (await cli.ok("gateway", "health")).says("OK");
    contains((await cli.ok("gateway", "health", "--json")).json(), { ok: true });
  });
  await step(`${who}: status`, async () => {
    (await cli.ok("status")).says("reachable");
    const status = (await cli.ok("status", "--json")).json();
    contains(status, { gateway: { reachable: true } });
  });
  await step(`${who}: status --deep`, async () => {
    contains((await cli.ok("status", "--deep", "--json")).json(), { gateway: { reachable: true } });
  });
  await step(`${who}: gateway status`, async () => {
    await cli.ok("gateway", "status");
    contains((await cli.ok("gateway", "status", "--json")).json(), { rpc: { ok: true } });
  });
  await step(`${who}: gateway probe`, async () => {
    (await cli.ok("gateway", "probe")).says("Reachable: yes");
    contains((await cli.ok("gateway", "probe", "--json")).json(), { ok: true });
  });
  await step(`${who}: gateway call`, async () => {
    const call = async (method: string) =>
      (await cli.ok("gateway", "call", method, "--json")).json();
    contains(await call("health"), { ok: true });
    contains(await call("node.list"), { nodes: [] });
    equal(typeof (await call("status")), "object");
    equal(Array.isArray(await call("system-presence")), true);
  });
  await step(`${who}: a refused call keeps its code and words`, async () => {
    const unknown = await cli.fails("gateway", "call", "no.such", "--json");
    contains(unknown.json(), { ok: false });
    unknown.says("INVALID_REQUEST", "unknown method: no.such");
    const params = ["--params", '{"x":1}', "--json"];
    const wrong = await cli.fails("gateway", "call", "node.list", ...params);
    wrong.says("invalid node.list params: at root: unexpected property 'x'");
  });
  await step(`${who}: a wrong secret is named as the cause`, async () => {
    const refused = await cli.fails("gateway", "call", "health", "--token", "wrong", "--json");
    contains(refused.json(), { ok: false });
    match(refused.output, /unauthorized|token mismatch|AUTH_TOKEN_MISMATCH/i);
  });
}
