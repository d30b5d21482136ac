import type { SystemNotifyParams } from "@openclaw/protocol";
import type { NotificationCall } from "./notifier.ts";

/** `osascript`; the texts are arguments of the script, never part of it. */
export function macNotification(params: SystemNotifyParams): NotificationCall {
  const { title = "", body = "", sound } = params;
  const show = "display notification (item 2 of argv) with title (item 1 of argv)";
  const statement = sound ? `${show} sound name (item 3 of argv)` : show;
  return {
    program: "osascript",
    args: [
      "-e",
      "on run argv",
      "-e",
      statement,
      "-e",
      "end run",
      "--",
      title,
      body,
      ...(sound ? [sound] : []),
    ],
    install: "it belongs to macOS; check PATH",
  };
}
