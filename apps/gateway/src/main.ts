import { homedir } from "node:os";
import process from "node:process";
import { processIo } from "@openclaw/app-kit";
import { runDaemon } from "./run-daemon.ts";

// No process.exit: what stays open after the Gateway has closed would be hidden, not mended.
process.exitCode = await runDaemon(process.argv.slice(2), processIo(process, homedir()));
