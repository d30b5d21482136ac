import type { Style } from "./style.ts";
import { displayWidth } from "./text.ts";

const GAP = "  ";

/**
 * Columns side by side under dim headers; a column that is empty in every row is left out. Cells
 * are shown as they are: pass what others chose through `safeText` first.
 */
export function renderTable(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  style: Style,
): string {
  const columns = headers
    .map((_, index) => index)
    .filter((index) => rows.some((row) => row[index] !== ""));
  const widths = columns.map((index) =>
    Math.max(
      displayWidth(headers[index] ?? ""),
      ...rows.map((row) => displayWidth(row[index] ?? "")),
    ),
  );
  const line = (cells: readonly string[], paint: (text: string) => string): string =>
    columns
      .map((index, position) => {
        const cell = cells[index] ?? "";
        const padding = " ".repeat((widths[position] ?? 0) - displayWidth(cell));
        return position === columns.length - 1 ? paint(cell) : paint(cell) + padding;
      })
      .join(GAP)
      .trimEnd();
  return [line(headers, style.dim), ...rows.map((row) => line(row, (text) => text))]
    .map((text) => `${text}\n`)
    .join("");
}

/** Labels on the left, values on the right; entries without a value are left out. */
export function renderFields(
  fields: readonly (readonly [label: string, value: string | undefined])[],
  style: Style,
): string {
  const shown = fields.filter(([, value]) => value !== undefined && value !== "");
  const width = Math.max(0, ...shown.map(([label]) => displayWidth(label)));
  return shown
    .map(([label, value]) => {
      const padding = " ".repeat(width - displayWidth(label));
      return `${style.dim(label)}${padding}${GAP}${value}\n`;
    })
    .join("");
}
