import { homedir } from "node:os";
import process from "node:process";
import { cliIo } from "./io.ts";
import { run } from "./run.ts";

// No process.exit: a command that leaves something open would be cut off instead of noticed.
process.exitCode = await run(process.argv.slice(2), cliIo(process, homedir()));
