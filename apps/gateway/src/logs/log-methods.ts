import { messageOf } from "@openclaw/app-kit";
import { defineMethod, type Method, RequestError } from "@openclaw/gateway-core";
import { methodSchemas } from "@openclaw/protocol";
import type { LogLocation } from "./log-location.ts";
import { tailLog } from "./tail-log.ts";

/** `logs.tail`, for a Gateway whose log is there; to be added with `gateway.method`. */
export function logMethods(location: LogLocation): Method[] {
  return [
    defineMethod({
      name: "logs.tail",
      access: "operator.read",
      ...methodSchemas["logs.tail"],
      summary: "The end of the Gateway's log, or what follows a cursor of an earlier answer.",
      async handler(question) {
        try {
          // Peers take no member that they do not know.
          const { more: _, ...piece } = await tailLog(location, question);
          return piece;
        } catch (error) {
          throw new RequestError("UNAVAILABLE", `the log cannot be read: ${messageOf(error)}`);
        }
      },
    }),
  ];
}
