import type { SystemNotifyParams } from "@openclaw/protocol";
import type { NotificationCall } from "./notifier.ts";

// The texts come through the environment and are put into the XML as text nodes, never parsed.
const SCRIPT = `
$ErrorActionPreference = 'Stop'
[void][Windows.UI.Notifications.ToastNotificationManager,Windows.UI.Notifications,ContentType=WindowsRuntime]
[void][Windows.Data.Xml.Dom.XmlDocument,Windows.Data.Xml.Dom.XmlDocument,ContentType=WindowsRuntime]
$xml = New-Object Windows.Data.Xml.Dom.XmlDocument
$xml.LoadXml('<toast><visual><binding template="ToastGeneric"><text/><text/></binding></visual><audio/></toast>')
$text = $xml.GetElementsByTagName('text')
[void]$text.Item(0).AppendChild($xml.CreateTextNode($env:OPENCLAW_NOTIFY_TITLE))
[void]$text.Item(1).AppendChild($xml.CreateTextNode($env:OPENCLAW_NOTIFY_BODY))
if ($env:OPENCLAW_NOTIFY_SCENARIO) { $xml.DocumentElement.SetAttribute('scenario', $env:OPENCLAW_NOTIFY_SCENARIO) }
$audio = $xml.GetElementsByTagName('audio').Item(0)
if ($env:OPENCLAW_NOTIFY_SOUND) { $audio.SetAttribute('src', $env:OPENCLAW_NOTIFY_SOUND) } else { $audio.SetAttribute('silent', 'true') }
$app = '{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\\WindowsPowerShell\\v1.0\\powershell.exe'
[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier($app).Show((New-Object Windows.UI.Notifications.ToastNotification $xml))
`.trim();

/** A toast through Windows PowerShell. */
export function windowsNotification(params: SystemNotifyParams): NotificationCall {
  const { title = "", body = "", sound, priority } = params;
  return {
    program: "powershell.exe",
    args: ["-NoProfile", "-NonInteractive", "-Command", SCRIPT],
    env: {
      OPENCLAW_NOTIFY_TITLE: title,
      OPENCLAW_NOTIFY_BODY: body,
      OPENCLAW_NOTIFY_SOUND: sound ? toastSound(sound) : "",
      OPENCLAW_NOTIFY_SCENARIO: priority === "timeSensitive" ? "urgent" : "",
    },
    install: "install Windows PowerShell 5.1 or check PATH",
  };
}

/** Toasts know the sounds of the system by address; a bare name becomes one. */
function toastSound(sound: string): string {
  return sound.includes(":") ? sound : `ms-winsoundevent:Notification.${sound}`;
}
