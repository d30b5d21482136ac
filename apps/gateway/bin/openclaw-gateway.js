#!/usr/bin/env node
// Plain syntax and no import: an old Node must be able to read as far as the explanation.
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
  enableCompileCache();
  void import("../dist/main.js");
}

// Compiled code is kept per user: in a shared folder somebody else could put it there first.
function enableCompileCache() {
  var env = process.env;
  var home = env.HOME || env.USERPROFILE;
  var base =
    env.XDG_CACHE_HOME ||
    (process.platform === "win32" && env.LOCALAPPDATA) ||
    (home && home + (process.platform === "darwin" ? "/Library/Caches" : "/.cache"));
  var folder = base ? base + "/openclaw/compile-cache" : undefined;
  process
    .getBuiltinModule("module")
    .enableCompileCache(env.NODE_COMPILE_CACHE ? undefined : folder);
}
