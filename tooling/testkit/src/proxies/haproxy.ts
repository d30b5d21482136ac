import { writeFile } from "node:fs/promises";
import type { ProxyOptions } from "./nginx.ts";
import { requireHaproxy } from "./proxy-programs.ts";
import { type ProxyServer, runProxy } from "./proxy-server.ts";

/** Starts Debian's HAProxy, as this user and in the foreground, with `config` after its defaults. */
export function startHaproxy({ config, files = {} }: ProxyOptions): Promise<ProxyServer> {
  return runProxy({
    command: requireHaproxy(),
    async prepare(directory, port) {
      const text = [
        "global",
        "    maxconn 64",
        "    log stderr format raw local0 notice",
        "defaults",
        "    timeout connect 5s",
        "    timeout client 1m",
        "    timeout server 1m",
        config(port, directory.path),
        "",
      ];
      await Promise.all(
        Object.entries({ ...files, "haproxy.cfg": text.join("\n") }).map(([name, content]) =>
          writeFile(directory.file(name), content),
        ),
      );
      return ["-db", "-q", "-f", directory.file("haproxy.cfg")];
    },
  });
}
