import { serviceNames } from "@openclaw/service";
import { expect, test } from "vitest";
import { stopCommand } from "./stop-commands.ts";

test.each([
  ["darwin", undefined, "launchctl bootout gui/501/ai.openclaw.gateway"],
  ["darwin", "work", "launchctl bootout gui/501/ai.openclaw.work"],
  ["linux", undefined, "systemctl --user stop openclaw-gateway.service"],
  ["linux", "work", "systemctl --user stop openclaw-gateway-work.service"],
  ["win32", undefined, 'schtasks /End /TN "OpenClaw Gateway"'],
] as const)("%s stops the service of profile %s with %s", (platform, profile, command) => {
  expect(stopCommand(platform, serviceNames("gateway", profile), 501)).toBe(command);
});
