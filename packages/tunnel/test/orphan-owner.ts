// Records a child as the engine of the system's ssh does, and starts another that it does not record.
import { spawn } from "node:child_process";
import { recordChild } from "../src/engines/system/child-records.ts";

const stateDirectory = process.argv[2] ?? "";

function start(): number {
  const child = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
  child.unref();
  return child.pid ?? 0;
}

const orphan = start();
const bystander = start();
// `spawn` returns when it has become the program that it was started for.
await recordChild(stateDirectory, { pid: orphan });
process.stdout.write(JSON.stringify({ orphan, bystander }));
setInterval(() => {}, 60_000);
