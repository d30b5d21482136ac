import { asObject } from "@openclaw/app-kit";
import type { JsonObject } from "@openclaw/config";

/** What a person reads last: what is set up now, going by the config that was written. */
export function closingLines(config: JsonObject): string[] {
  const channels = Object.entries(asObject(config["channels"]))
    .filter(([name, value]) => name !== "defaults" && asObject(value)["enabled"] !== false)
    .map(([name]) => name);
  const { model } = asObject(asObject(config["agents"])["defaults"]);
  const primary = typeof model === "string" ? model : asObject(model)["primary"];
  return [
    "✅ Gateway configured successfully",
    `✅ Channels configured: ${channels.length === 0 ? "none" : channels.join(", ")}`,
    `✅ AI model configured: ${typeof primary === "string" ? primary.replace("/", ":") : "none"}`,
  ];
}
