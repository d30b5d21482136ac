import { safeText } from "@openclaw/app-kit";
import { expect, test } from "vitest";
import { createStyle, wantsColour } from "./style.ts";
import { renderFields, renderTable } from "./table.ts";
import { displayWidth } from "./text.ts";
import { ago, duration, parseDurationMs } from "./time.ts";

const plain = createStyle(false);

test("columns line up, also with wide characters and colours, and empty ones vanish", () => {
  const coloured = createStyle(true);
  const rows = [
    ["a", "", "x"],
    ["工房", "", coloured.good("y")],
  ];
  expect(renderTable(["Name", "IP", "State"], rows, plain)).toBe(
    `Name  State\na     x\n工房  ${coloured.good("y")}\n`,
  );
});

test("fields without a value are left out", () => {
  const text = renderFields(
    [
      ["ID", "1"],
      ["Longer", "2"],
      ["None", undefined],
      ["Empty", ""],
    ],
    plain,
  );
  expect(text).toBe("ID      1\nLonger  2\n");
});

test("text of others is one line without control characters", () => {
  expect(safeText("a\u001b[31mb\u001b[0m\nc\u202ed")).toBe("ab c d");
  expect(safeText({ an: "object" })).toBe("");
  expect(displayWidth("工a🚀")).toBe(5);
});

test("colour: flags and NO_COLOR win over FORCE_COLOR, that over the terminal", () => {
  const tty = { write() {}, isTTY: true };
  const pipe = { write() {} };
  expect(wantsColour({ sink: tty, env: {}, noColor: false })).toBe(true);
  expect(wantsColour({ sink: pipe, env: {}, noColor: false })).toBe(false);
  expect(wantsColour({ sink: pipe, env: { FORCE_COLOR: "1" }, noColor: false })).toBe(true);
  expect(wantsColour({ sink: tty, env: { NO_COLOR: "1", FORCE_COLOR: "1" }, noColor: false })).toBe(
    false,
  );
  expect(wantsColour({ sink: tty, env: { FORCE_COLOR: "1" }, noColor: true })).toBe(false);
  expect(wantsColour({ sink: tty, env: { TERM: "dumb" }, noColor: false })).toBe(false);
});

test("spans are told in their largest unit, and read in any", () => {
  expect([850, 59_999, 61_000, 7_200_000, 200_000_000].map((ms) => duration(ms))).toEqual([
    "850ms",
    "59s",
    "1m",
    "2h",
    "2d",
  ]);
  expect(ago(undefined, 0)).toBe("");
  expect(ago(1_000, 1_500)).toBe("just now");
  expect(["250", "500ms", "10s", "5m", "24h", "7d"].map((text) => parseDurationMs(text))).toEqual([
    250, 500, 10_000, 300_000, 86_400_000, 604_800_000,
  ]);
  expect(parseDurationMs("soon")).toBeUndefined();
});
