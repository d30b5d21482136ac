import { startProcess, type TestProcess } from "@openclaw/testkit";

const LISTEN = `
  require("node:net").createServer().listen({ path: process.argv[1] }, () => console.log("ready"));
`;

/** Another process that listens on a Unix socket; killed, it leaves the file behind. */
export async function startListening(path: string): Promise<TestProcess> {
  const program = startProcess(process.execPath, ["-e", LISTEN, path]);
  await program.line("ready", { deadlineMs: 20_000 });
  return program;
}
