import { existsSync } from "node:fs";

const NGINX = "/usr/sbin/nginx";
const HAPROXY = "/usr/sbin/haproxy";

/** Whether `startNginx` works here. */
export const hasNginx: boolean = existsSync(NGINX);
/** Whether `startHaproxy` works here. */
export const hasHaproxy: boolean = existsSync(HAPROXY);

/** Full path of nginx. */
export function requireNginx(): string {
  if (hasNginx) return NGINX;
  throw new Error("this fixture needs the Debian package nginx-light");
}

/** Full path of haproxy. */
export function requireHaproxy(): string {
  if (hasHaproxy) return HAPROXY;
  throw new Error("this fixture needs the Debian package haproxy");
}
