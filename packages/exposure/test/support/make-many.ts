// One of several processes that start a Gateway at the same moment.
import { loadGatewayCertificate } from "../../src/index.ts";

const [directory = ""] = process.argv.slice(2);
process.send?.("ready");
process.once("message", () => {
  void loadGatewayCertificate({ directory, autoGenerate: true, names: [] }).then(
    ({ fingerprint, publicKeyPin }) =>
      process.send?.({ fingerprint, publicKeyPin }, () => process.disconnect()),
  );
});
