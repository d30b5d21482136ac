import { findPortHolder } from "../../src/forwards/port-holder.ts";

// Asks who holds a port as a user who may not look into the processes of others.

process.setgroups?.([]);
process.setgid?.(65_534);
process.setuid?.(65_534);
process.stdout.write(`${JSON.stringify(await findPortHolder(Number(process.argv[2])))}\n`);
