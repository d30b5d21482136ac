// Changes a config file ten times, or holds its lock until it is killed.
import { editConfigFile } from "../../src/index.ts";

const [path = "", name = "", mode = "edit"] = process.argv.slice(2);

if (mode === "hold") {
  await editConfigFile(path, () => {
    process.stdout.write("holding\n");
    // Whoever works on the file is inside of this call.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    return [];
  });
}

for (let index = 0; index < 10; index += 1) {
  // oxlint-disable-next-line no-await-in-loop
  await editConfigFile(path, [{ path: ["env", `${name}${index}`], value: String(index) }], {
    lockTimeoutMs: 60_000,
  });
}
