import { expect, test } from "vitest";
import { checkOrigin } from "./origin-rule.ts";

const none: ReadonlySet<string> = new Set();
const from = (browserOrigin: string | undefined, isLocal = true) => ({
  address: isLocal ? "127.0.0.1" : "192.0.2.7",
  isLocal,
  browserOrigin,
  userAgent: undefined,
});

test("a native client sends no Origin and needs none; a browser's client without one is refused", () => {
  expect(checkOrigin(from(undefined), "cli", none).ok).toBe(true);
  for (const client of ["openclaw-control-ui", "webchat"])
    expect(checkOrigin(from(undefined), client, none)).toMatchObject({
      reason: "origin missing or invalid",
    });
});

test("a page of this machine reaches a Gateway on this machine, and no other", () => {
  for (const page of ["http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:9"]) {
    expect(checkOrigin(from(page), "cli", none).ok).toBe(true);
    expect(checkOrigin(from(page, false), "cli", none).ok).toBe(false);
  }
});

test("pain 12: a page of elsewhere is refused, also one whose name was made to point here", () => {
  for (const page of [
    "http://evil.example:18789",
    "https://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://127.1.evil",
    "null",
    "file://",
    "not an origin",
  ])
    expect(checkOrigin(from(page), "cli", none).ok).toBe(false);
});

test("a listed origin may connect from anywhere, exactly as it is listed", () => {
  const listed = new Set(["https://claw.example"]);
  expect(checkOrigin(from("https://claw.example", false), "webchat", listed).ok).toBe(true);
  expect(checkOrigin(from("http://claw.example", false), "webchat", listed).ok).toBe(false);
  expect(checkOrigin(from("https://claw.example:8443", false), "cli", listed).ok).toBe(false);
});
