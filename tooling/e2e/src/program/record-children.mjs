// Loaded before a program, by NODE_OPTIONS: writes down the argv and the environment of every process
// that it starts, whichever way. RECORD_CHILDREN names the file; nothing else changes.
import childProcess from "node:child_process";
import { appendFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const path = process.env["RECORD_CHILDREN"];

function record(argv, env) {
  if (path !== undefined) appendFileSync(path, `${JSON.stringify({ argv, env })}\n`);
}

const { prototype } = childProcess.ChildProcess;
const { spawn } = prototype;
prototype.spawn = function recorded(options) {
  record([options.file, ...(options.args ?? [])], options.envPairs);
  return spawn.call(this, options);
};

for (const name of ["spawnSync", "execFileSync", "execSync"]) {
  const original = childProcess[name];
  childProcess[name] = (...args) => {
    const options = args.findLast((one) => typeof one === "object" && !Array.isArray(one)) ?? {};
    record([args[0], ...(Array.isArray(args[1]) ? args[1] : [])], options.env ?? process.env);
    return original(...args);
  };
}
syncBuiltinESMExports();
