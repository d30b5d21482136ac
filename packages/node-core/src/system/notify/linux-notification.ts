import type { SystemNotifyParams } from "@openclaw/protocol";
import type { NotificationCall } from "./notifier.ts";

const URGENCY = { passive: "low", active: "normal", timeSensitive: "critical" } as const;

/** `notify-send`; the body may contain markup, so plain text is escaped. */
export function linuxNotification(params: SystemNotifyParams): NotificationCall {
  const { title = "", body = "", sound, priority = "active" } = params;
  // Names come from the sound theme of the desktop; a path is a file.
  const hint = sound?.startsWith("/") === true ? "sound-file" : "sound-name";
  return {
    program: "notify-send",
    args: [
      "--app-name=OpenClaw",
      `--urgency=${URGENCY[priority]}`,
      ...(sound ? [`--hint=string:${hint}:${sound}`] : []),
      "--",
      title,
      escapeMarkup(body),
    ],
    install: "install libnotify-bin (Debian, Ubuntu) or libnotify (Fedora, Arch)",
  };
}

function escapeMarkup(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
