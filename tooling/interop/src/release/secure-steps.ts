import { match, notEqual, partialDeepStrictEqual as contains } from "node:assert";
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, withDeadline } from "@openclaw/testkit";
import { need } from "./checklist.ts";
import { startGatewayProgram } from "./gateway.ts";
import type { Lab, Maker } from "./lab.ts";
import type { TakeStep } from "./operator-steps.ts";
import { eventually } from "./patience.ts";
import type { Program } from "./program.ts";

/** A published program that joins takes 20 s on two busy cores. */
const JOIN_WITHIN_MS = 90_000;

interface SecureGateway {
  readonly port: number;
  readonly url: string;
  /** Of the certificate that it has made for itself. */
  readonly fingerprint: string;
  /** The command line of the Gateway's own maker, on the Gateway's machine. */
  readonly local: Program;
}

/** Whose is what in {@link takeSecureSteps}. */
export interface SecureCast {
  lab: Lab;
  /** Who made the Gateway. */
  maker: Maker;
  /** Who made everything that comes to it. */
  visitor: Maker;
  gatewayWho: string;
  who: string;
  nodeWho: string;
}

/**
 * A Gateway with a certificate of its own, a password, and a bind that others reach: who gets in, what
 * its config and log say, and nodes that come with setup codes of either maker.
 */
export async function takeSecureSteps(step: TakeStep, cast: SecureCast): Promise<void> {
  const { lab, maker, visitor, gatewayWho, who, nodeWho } = cast;
  const gateway = await step(`${gatewayWho} comes up with TLS and a password`, () =>
    startSecureGateway(lab, maker),
  );
  const { url, port } = gateway ?? { url: "", port: 1 };
  const come = async (home: string, remote: object): Promise<Program> =>
    lab.program(visitor, {
      ...{ home, port, secret: "none" },
      gateway: { mode: "remote", remote: { url, ...remote } },
    });
  const pinned = { tlsFingerprint: gateway?.fingerprint };

  const cli = await step(
    `${who}: gets in with the pinned certificate and the password`,
    async () => {
      need(gateway, "Gateway");
      const program = await come("pinned", { ...pinned, password: lab.token });
      const answer = (await program.ok("gateway", "call", "health", "--json")).json();
      contains(answer, { ok: true });
      return program;
    },
  );

  await step(`${who}: another certificate than the pinned one is refused`, async () => {
    const { fingerprint } = need(gateway, "Gateway");
    const tlsFingerprint = fingerprint.replaceAll(/[0-9A-F]/g, (one) => (one === "0" ? "1" : "0"));
    const program = await come("wrong-pin", { tlsFingerprint, password: lab.token });
    const refused = await program.fails("gateway", "call", "health", "--json");
    match(refused.output, /fingerprint|pinned/i);
  });

  await step(`${who}: a wrong password is named as the cause`, async () => {
    need(gateway, "Gateway");
    const program = await come("wrong-password", { ...pinned, password: "not this one" });
    const refused = await program.fails("gateway", "call", "health", "--json");
    match(refused.output, /password mismatch|AUTH_PASSWORD_MISMATCH|wrong password/i);
  });

  await step(`${who}: logs shows the Gateway's log`, async () => {
    const lines = (await need(cli, "command line").ok("logs", "--limit", "200", "--json")).stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as { type: string; message?: string });
    contains(lines[0], { type: "meta" });
    notEqual(
      lines.find(({ type, message }) => type === "log" && (message ?? "") !== ""),
      undefined,
    );
  });

  await step(`${who}: config.get, config.patch and config.schema.lookup`, async () => {
    const program = need(cli, "command line");
    const call = (method: string, params: object): string[] => [
      ...["gateway", "call", method, "--params", JSON.stringify(params), "--json"],
    ];
    const before = (await program.ok(...call("config.get", {}))).json();
    contains(before, { exists: true, valid: true, config: { gateway: { bind: "lan" } } });
    // No part of a running Gateway cares for where its own machine's commands go.
    const raw = JSON.stringify({ gateway: { remote: { url: "wss://elsewhere.example" } } });
    const stale = await program.fails(...call("config.patch", { raw, baseHash: "former" }));
    stale.says("config changed since last load; re-run config.get and retry");
    const baseHash = before["hash"];
    contains((await program.ok(...call("config.patch", { raw, baseHash }))).json(), { ok: true });
    const after = (await program.ok(...call("config.get", {}))).json();
    contains(after, { config: { gateway: { remote: { url: "wss://elsewhere.example" } } } });
    notEqual(after["hash"], baseHash);
    const place = await program.ok(...call("config.schema.lookup", { path: "gateway.port" }));
    contains(place.json(), { path: "gateway.port", children: [] });
  });

  const code = await step(`${who}: makes a setup code over the wire`, async () => {
    const program = need(cli, "command line");
    const params = { bootstrapProfile: "node", publicUrl: url };
    const call = ["gateway", "call", "device.pair.setupCode", "--params", JSON.stringify(params)];
    const issued = (await program.ok(...call, "--json")).json();
    contains(issued, { gatewayUrl: url, access: "node" });
    return issued["setupCode"] as string;
  });

  const join = async (name: string, setupCode: string): Promise<void> => {
    const node = await lab.program(visitor, { home: name, port, secret: "none" });
    const { fingerprint } = need(gateway, "Gateway");
    const flags = ["--tls-fingerprint", fingerprint, "--display-name", name];
    const child = lab.keep(node.start("node", "run", "--pair", setupCode, ...flags));
    try {
      await eventually(
        `the node ${name}; it wrote ${child.stdout} ${child.stderr}`,
        async () => {
          const { nodes } = (
            await need(cli, "command line").ok("nodes", "status", "--json")
          ).json();
          const list = nodes as { displayName?: string; connected?: boolean }[];
          return list.find((one) => one.displayName === name && one.connected === true);
        },
        JOIN_WITHIN_MS,
      );
    } catch (error) {
      throw Object.assign(error as Error, { output: `${child.stdout}\n${child.stderr}` });
    }
    await child.stop(20_000);
  };

  await step(`${nodeWho}: joins with it at once`, () => join("Joiner", need(code, "setup code")));

  await step(`${nodeWho}: a code that was used is refused, and it ends`, async () => {
    const { fingerprint } = need(gateway, "Gateway");
    const node = await lab.program(visitor, { home: "late", port, secret: "none" });
    const flags = ["--tls-fingerprint", fingerprint];
    const args = ["node", "run", "--pair", need(code, "setup code"), ...flags];
    const child = lab.keep(node.start(...args));
    const { code: exitCode } = await withDeadline(child.exited, JOIN_WITHIN_MS, () => "its end");
    notEqual(exitCode, 0);
    match(`${child.stdout}\n${child.stderr}`, /setup code|bootstrap/i);
  });

  await step(`${nodeWho}: joins with a code of the Gateway's own qr command`, async () => {
    const { local } = need(gateway, "Gateway");
    const flag = maker === "own" ? "--public-url" : "--url";
    const printed = await local.ok("qr", "--setup-code-only", flag, url);
    await join("Scanner", printed.stdout.trim());
  });
}

async function startSecureGateway(lab: Lab, maker: Maker): Promise<SecureGateway> {
  const port = await freePort();
  const home = "secure-gateway";
  const program = await lab.program(maker, {
    ...{ home, port, secret: "password" },
    gateway: { bind: "lan", tls: { enabled: true }, auth: { mode: "password" } },
  });
  await startGatewayProgram(lab, maker, program);
  const pem = await readFile(
    join(lab.homeOf(maker, home), ".openclaw", "gateway", "tls", "gateway-cert.pem"),
  );
  const { fingerprint256: fingerprint } = new X509Certificate(pem);
  return { port, url: `wss://127.0.0.1:${port}`, fingerprint, local: program };
}
