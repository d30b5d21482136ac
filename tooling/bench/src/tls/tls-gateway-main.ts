/**
 * One Gateway that listens in plaintext and, for each certificate in the folder BENCH_TLS_DIR, with
 * TLS. Prints a line `<name> <url>` for each listener.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createGateway } from "@openclaw/gateway-core";
import { CERTIFICATES } from "./certificates.ts";

const directory = process.env["BENCH_TLS_DIR"];
const token = process.env["OPENCLAW_GATEWAY_TOKEN"];
if (!directory || !token) throw new Error("BENCH_TLS_DIR and OPENCLAW_GATEWAY_TOKEN are needed");

const gateway = createGateway({ auth: { mode: "token", token } });
const plain = await gateway.listen({ port: 0 });
console.log(`plain ${plain.url}`);
for (const { name } of CERTIFICATES) {
  const cert = await readFile(join(directory, `${name}-cert.pem`));
  const key = await readFile(join(directory, `${name}-key.pem`));
  const { url } = await gateway.listen({ port: 0, tls: { cert, key } });
  console.log(`${name} ${url}`);
}
process.once("SIGTERM", () => void gateway.close().then(() => process.exit(0)));
