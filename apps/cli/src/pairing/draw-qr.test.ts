import qrcode from "qrcode-generator";
import { expect, test } from "vitest";
import { drawQr } from "./draw-qr.ts";

const TEXT = "eyJ1cmwiOiJ3c3M6Ly9nYXRld2F5LmV4YW1wbGUiLCJib290c3RyYXBUb2tlbiI6IkFCQyJ9".repeat(3);

/** The modules that a drawing shows, dark ones true. */
function modulesOf(drawing: string, isInkDark: boolean): boolean[][] {
  const rows: boolean[][] = [];
  // eslint-disable-next-line no-control-regex -- the colours are what is taken off
  for (const line of drawing.replaceAll(/\u001b\[[\d;]*m/g, "").split("\n")) {
    const ink = Array.from(line).map((half) => [
      half === "█" || half === "▀",
      half === "█" || half === "▄",
    ]);
    for (const part of [0, 1]) rows.push(ink.map((pair) => pair[part] === isInkDark));
  }
  return rows;
}

test.each([true, false])(
  "shows every module, within a quiet zone of four (colour: %s)",
  (colour) => {
    const code = qrcode(0, "L");
    code.addData(TEXT, "Byte");
    code.make();
    const size = code.getModuleCount();
    const modules = modulesOf(drawQr(TEXT, { colour }).text, colour);
    for (let row = 0; row < size + 8; row += 1)
      for (let column = 0; column < size + 8; column += 1) {
        const [r, c] = [row - 4, column - 4];
        const isInside = r >= 0 && r < size && c >= 0 && c < size;
        expect(modules[row]?.[column]).toBe(isInside && code.isDark(r, c));
      }
  },
);

test("sets both colours itself where it may, so that no theme turns it inside out", () => {
  const lines = drawQr("short", { colour: true }).text.split("\n");
  for (const line of lines) {
    expect(line.startsWith("\u001b[38;5;16;48;5;231m")).toBe(true);
    expect(line.endsWith("\u001b[0m")).toBe(true);
  }
  expect(drawQr("short", { colour: false }).text).not.toContain("\u001b");
});

test("a setup code of ordinary length fits into eighty columns", () => {
  const { text, columns } = drawQr("x".repeat(330), { colour: false });
  expect(text.split("\n").map((line) => line.length)).toEqual(
    Array(text.split("\n").length).fill(columns),
  );
  expect(columns).toBeLessThanOrEqual(80);
});
