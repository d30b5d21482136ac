import fc from "fast-check";
import { expect, test } from "vitest";
import type { ServiceDefinition } from "../definition/service-definition.ts";
import { parseLaunchdPlist } from "./plist-reader.ts";
import { launchdPlist } from "./plist-text.ts";
import { type PlistValue, readXmlPlist, writeXmlPlist } from "./xml-plist.ts";

const NODE: ServiceDefinition = {
  kind: "node",
  description: "OpenClaw Node",
  programArguments: ["/usr/local/bin/node", "/opt/openclaw.js", "node", "run"],
  environment: { OPENCLAW_PROFILE: "work" },
  logs: { stdout: "/Users/me/node.log", stderr: "/Users/me/node.err.log" },
};

/** Text that XML 1.0 can hold. */
const text = fc
  .oneof(
    fc.string({ unit: "grapheme", maxLength: 20 }),
    fc
      .array(fc.constantFrom("<", ">", "&", "&amp;", "]]>", '"', "'", "\r", "\n", " ", "é"))
      .map((parts) => parts.join("")),
  )
  // oxlint-disable-next-line no-control-regex
  .filter((value) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/u.test(value));

test("an agent starts at login and comes back", () => {
  expect(launchdPlist(NODE)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>ai.openclaw.node</string>
	<key>Comment</key>
	<string>OpenClaw Node</string>
	<key>RunAtLoad</key>
	<true/>
	<key>KeepAlive</key>
	<true/>
	<key>ProgramArguments</key>
	<array>
		<string>/usr/local/bin/node</string>
		<string>/opt/openclaw.js</string>
		<string>node</string>
		<string>run</string>
	</array>
	<key>StandardOutPath</key>
	<string>/Users/me/node.log</string>
	<key>StandardErrorPath</key>
	<string>/Users/me/node.err.log</string>
	<key>EnvironmentVariables</key>
	<dict>
		<key>OPENCLAW_PROFILE</key>
		<string>work</string>
	</dict>
	<key>ExitTimeOut</key>
	<integer>30</integer>
</dict>
</plist>
`);
});

test("arguments and variables of any text are read back as they were", () => {
  fc.assert(
    fc.property(
      fc.array(text),
      fc.dictionary(fc.stringMatching(/^[A-J_]{1,9}$/), text),
      (args, environment) => {
        const programArguments = ["/usr/bin/env", ...args];
        const parsed = parseLaunchdPlist(launchdPlist({ ...NODE, programArguments, environment }));
        expect(parsed.programArguments).toEqual(programArguments);
        expect(parsed.environment).toEqual(environment);
      },
    ),
  );
});

test("any value is read back as it was", () => {
  const { value } = fc.letrec<{ value: PlistValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      text,
      fc.boolean(),
      fc.integer(),
      fc.array(tie("value")),
      fc.dictionary(text, tie("value")),
    ),
  }));
  fc.assert(
    fc.property(value, (plist) => {
      expect(readXmlPlist(writeXmlPlist(plist))).toEqual(plist);
    }),
  );
});

test("a character that XML cannot hold is refused", () => {
  expect(() => launchdPlist({ ...NODE, programArguments: ["/bin/x", "\u001b[0m"] })).toThrow(
    expect.objectContaining({ code: "INVALID_DEFINITION" }),
  );
});

test("an environment file is refused with the way around", () => {
  expect(() => launchdPlist({ ...NODE, environmentFile: "/x.env" })).toThrow(
    expect.objectContaining({
      code: "INVALID_DEFINITION",
      hints: [expect.stringContaining("--env-file-if-exists")],
    }),
  );
});

test("an agent made by hand is read with comments, CDATA, entities and Program", () => {
  const parsed = parseLaunchdPlist(`<?xml version="1.0"?>
<!-- mine -->
<plist version='1.0'><dict>
  <key>Label</key><string>com.&#99;lawdbot.ssh-tunnel</string>
  <key>Program</key><string>/usr/bin/ssh</string>
  <key>ProgramArguments</key>
  <array><string>ssh</string><string>-N</string><string><![CDATA[a<b]]></string><string/></array>
  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
  <key>StartInterval</key><integer>0x10</integer>
  <key>__proto__</key><string>no trap</string>
</dict></plist>`);
  expect(parsed).toMatchObject({
    label: "com.clawdbot.ssh-tunnel",
    programArguments: ["/usr/bin/ssh", "-N", "a<b", ""],
    restart: "on-failure",
    runsAtLogin: false,
  });
});

test.each([
  ["nothing", ""],
  ["a binary list", "bplist00"],
  ["another document", "<html></html>"],
  ["no end", "<plist><dict>"],
  ["a key without a value", "<plist><dict><key>a</key></dict></plist>"],
  ["a value without a key", "<plist><dict><string>a</string></dict></plist>"],
  ["an unknown element", "<plist><script/></plist>"],
  ["an unknown entity", "<plist><string>&boom;</string></plist>"],
  ["an entity of its own", `<!DOCTYPE plist [<!ENTITY a "b">]><plist><string>&a;</string></plist>`],
  ["two values", "<plist><string/><string/></plist>"],
  ["a word for a number", "<plist><integer>many</integer></plist>"],
  ["text without end", "<plist><string>abc"],
  ["endless nesting", `<plist>${"<array>".repeat(10_000)}`],
])("%s is refused as a property list", (_name, document) => {
  expect(() => readXmlPlist(document)).toThrow(
    expect.objectContaining({ code: "UNREADABLE_DEFINITION" }),
  );
});

test("no text makes the reader fail in another way, or hang", () => {
  const part = fc.constantFrom(
    "<plist>",
    "</plist>",
    "<dict>",
    "</dict>",
    "<key>",
    "</key>",
    "<string>",
    "</string>",
    "<true/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "&",
    "&#x;",
    ";",
    "<",
    ">",
    "a",
    " ",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      try {
        readXmlPlist(parts.join(""));
      } catch (error) {
        expect(error).toMatchObject({ code: "UNREADABLE_DEFINITION" });
      }
    }),
    { numRuns: 1_000 },
  );
});
