import { writeFile } from "node:fs/promises";
import { requireNginx } from "./proxy-programs.ts";
import { type ProxyServer, runProxy } from "./proxy-server.ts";

/** Options of {@link startNginx} and `startHaproxy`. */
export interface ProxyOptions {
  /** The part of the configuration that a user writes, for the port that it has to listen on. */
  config: (port: number, directory: string) => string;
  /** Further files, by name; they are written into the directory first. */
  files?: Readonly<Record<string, string>>;
}

/** Starts Debian's nginx, as this user and in one process, with `config` in its `http` block. */
export function startNginx({ config, files = {} }: ProxyOptions): Promise<ProxyServer> {
  return runProxy({
    command: requireNginx(),
    async prepare(directory, port) {
      const path = directory.file("nginx.conf");
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
        (name) => `${name}_temp_path ${directory.file(name)};`,
      );
      const text = [
        "daemon off;",
        "master_process off;",
        `pid ${directory.file("nginx.pid")};`,
        "error_log stderr notice;",
        "events { worker_connections 64; }",
        "http {",
        "access_log off;",
        ...temporary,
        config(port, directory.path),
        "}",
      ];
      await Promise.all(
        Object.entries({ ...files, "nginx.conf": text.join("\n") }).map(([name, content]) =>
          writeFile(directory.file(name), content),
        ),
      );
      return ["-e", "stderr", "-p", directory.path, "-c", path];
    },
  });
}
