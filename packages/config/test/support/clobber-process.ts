// Sets keys of its own in a config file, one after the other, at random, and tells of each edit that was
// acknowledged: `<key> <number>` on a line.
import { editConfigFile } from "../../src/index.ts";

const [path = "", name = "", from = "0", to = "0"] = process.argv.slice(2);

for (let number = Number(from); number < Number(to); number += 1) {
  const key = `${name}_${Math.floor(Math.random() * 12)}`;
  // oxlint-disable-next-line no-await-in-loop -- one edit after the other is what is tested
  await editConfigFile(path, [{ path: ["env", key], value: String(number) }], {
    lockTimeoutMs: 120_000,
  });
  process.stdout.write(`${key} ${number}\n`);
}
