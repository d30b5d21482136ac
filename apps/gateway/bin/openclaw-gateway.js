#!/usr/bin/env node
// Plain syntax: an old Node must be able to read as far as the explanation.
import nodeModule from "module";

var version = process.versions.node.split(".").map(Number);
if (version[0] < 22 || (version[0] === 22 && version[1] < 13)) {
  process.stderr.write(
    "openclaw-gateway needs Node 22.13 or newer; this is Node " +
      process.versions.node +
      " (" +
      process.execPath +
      ").\nInstall a newer Node from https://nodejs.org, or with your version manager.\n",
  );
  process.exitCode = 1;
} else {
  if (nodeModule.enableCompileCache) nodeModule.enableCompileCache();
  void import("../dist/main.js");
}
