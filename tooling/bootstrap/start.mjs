// `npm start`: makes sure that everything is installed and built, then hands over to the tour.

import { main } from "./lib/main.mjs";
import { ensureBuilt } from "./lib/prepare.mjs";
import { runSource } from "./lib/tool.mjs";

await main(async () => {
  await ensureBuilt();
  return await runSource("tooling/tour/src/main.ts", process.argv.slice(2));
});
