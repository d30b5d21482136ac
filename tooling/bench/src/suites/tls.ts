import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { startProcess, temporaryDirectory } from "@openclaw/testkit";
import { toFigure } from "../figure.ts";
import type { Figure } from "../figure.ts";
import { cpuMs } from "../process-stats.ts";
import { OPERATOR } from "../subjects.ts";
import { CERTIFICATES, makeCertificates } from "../tls/certificates.ts";
import { connectWire } from "../wire-client.ts";
import { sourceArgs } from "../workspace.ts";
import { repeat } from "./suite.ts";
import type { Suite } from "./suite.ts";

/** Connections that are being made at once. */
const AT_ONCE = 8;

interface Side {
  readonly name: string;
  readonly label: string;
  readonly url: string;
  readonly ca: string | undefined;
  readonly rates: number[];
  readonly cpu: number[];
}

/**
 * New connections, from the first packet to the hello, with TLS beside plaintext: one Gateway, one
 * client, full handshakes without resumption.
 */
export const tlsSuite: Suite = async ({ isQuick, hasTargets, progress }) => {
  // A published Gateway has one listener; there would be nothing beside it.
  if (!hasTargets) return [];
  await using directory = await temporaryDirectory("openclaw-bench-tls-");
  await makeCertificates(directory.path);
  const token = randomBytes(16).toString("hex");
  await using gateway = startProcess(process.execPath, sourceArgs("./tls/tls-gateway-main.ts"), {
    env: { BENCH_TLS_DIR: directory.path, OPENCLAW_GATEWAY_TOKEN: token },
  });
  const sides: Side[] = [];
  for (const { name, label } of [{ name: "plain", label: "plain" }, ...CERTIFICATES]) {
    const [, url = ""] = await gateway.line(new RegExp(`^${name} (wss?:\\S+)`));
    const ca =
      name === "plain" ? undefined : await readFile(directory.file(`${name}-cert.pem`), "utf8");
    sides.push({ name, label, url, ca, rates: [], cpu: [] });
  }

  const count = isQuick ? 40 : 200;
  for (const side of sides) await connectMany(side, count, token);
  await repeat(isQuick ? 3 : 11, async (index) => {
    progress(`round ${index + 1}`);
    for (const side of index % 2 === 0 ? sides : sides.toReversed()) {
      const cpuBefore = cpuMs(gateway.pid);
      const startedAt = performance.now();
      await connectMany(side, count, token);
      side.rates.push((count / (performance.now() - startedAt)) * 1000);
      side.cpu.push((cpuMs(gateway.pid) - cpuBefore) / count);
    }
  });
  const [plain, ...secured] = sides as [Side, ...Side[]];
  return secured.flatMap((side) => figuresOf(side, plain));
};

function figuresOf({ label, rates, cpu }: Side, plain: Side): Figure[] {
  const base = { subject: "gateway (source)" };
  return [
    toFigure({
      ...base,
      name: `connects, TLS ${label}`,
      unit: "/s",
      samples: rates,
      baseline: { name: "plain", samples: plain.rates },
    }),
    toFigure({
      ...base,
      name: `connect server CPU, TLS ${label}`,
      unit: "ms",
      samples: cpu,
      baseline: { name: "plain", samples: plain.cpu },
    }),
  ];
}

/** Makes `count` connections, some at once, and closes each as soon as it was welcomed. */
async function connectMany({ url, ca }: Side, count: number, token: string): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const client = await connectWire(url, { connect: { ...OPERATOR, token }, ca });
      await client.close();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
