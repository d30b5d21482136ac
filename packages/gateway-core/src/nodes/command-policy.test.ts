import { describe, expect, test } from "vitest";
import { type NodePlatform, createCommandPolicy, nodePlatform } from "./command-policy.ts";

const policy = createCommandPolicy({ allow: new Set(), deny: new Set() });

describe("the platform of a node", () => {
  test.each<[string | undefined, string | undefined, NodePlatform]>([
    ["linux", undefined, "linux"],
    ["darwin", undefined, "macos"],
    ["win32", undefined, "windows"],
    ["macOS 15.1", "Mac", "macos"],
    ["iOS 18.4", "iPhone", "ios"],
    ["iPadOS 18.4", "iPad", "ios"],
    ["watchOS 11.1", "Apple Watch", "watchos"],
    ["Android 15 (SDK 35)", "Android", "android"],
    ["something", "Linux", "linux"],
    ["BeOS", "BeBox", "unknown"],
    [undefined, undefined, "unknown"],
  ])("%s of family %s is %s", (platform, family, expected) => {
    expect(nodePlatform(platform, family)).toBe(expected);
  });
});

describe("what a platform may be asked", () => {
  test("is what the reference lists for it", () => {
    for (const platform of ["linux", "macos", "windows"] as const)
      for (const command of ["system.run", "system.which", "system.notify", "fs.listDir"])
        expect(policy.allows(platform, command)).toBe(true);
    expect(policy.allows("linux", "sms.send")).toBe(false);
    expect(policy.allows("android", "sms.send")).toBe(true);
    expect(policy.allows("android", "system.run")).toBe(false);
    expect(policy.allows("watchos", "camera.snap")).toBe(false);
  });

  test("is the short list where the platform is not recognised", () => {
    expect(policy.allows("unknown", "system.notify")).toBe(true);
    expect(policy.allows("unknown", "system.run")).toBe(false);
  });

  test("is an exact name, and nothing that an object inherits", () => {
    for (const command of ["", "system", "system.*", "SYSTEM.RUN", "system.run ", "constructor"])
      expect(policy.allows("linux", command)).toBe(false);
  });

  test("is more with allow and less with deny, and deny wins", () => {
    const changed = createCommandPolicy({
      allow: new Set(["demo.greet", "system.which"]),
      deny: new Set(["system.run", "system.which"]),
    });
    expect(changed.allows("unknown", "demo.greet")).toBe(true);
    expect(changed.allows("linux", "system.run")).toBe(false);
    expect(changed.allows("linux", "system.which")).toBe(false);
  });
});
