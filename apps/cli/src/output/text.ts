import { stripVTControlCharacters } from "node:util";
import { safeText } from "@openclaw/app-kit";

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u;
const ZERO_WIDTH = /\p{Mark}|\u200d|\ufe0f/u;

/** Columns that a text takes in a terminal; escape sequences take none. */
export function displayWidth(text: string): number {
  const plain = stripVTControlCharacters(text);
  // Most of what is shown is ASCII, where every character takes one column.
  if (/^[\x20-\x7e]*$/.test(plain)) return plain.length;
  let width = 0;
  for (const character of plain) {
    if (!ZERO_WIDTH.test(character)) width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}

/** Breaks text into lines of at most `width` columns, at spaces. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}

/** The first 12 characters: enough to name a node or device, and accepted wherever an id is. */
export function shortId(id: unknown): string {
  return safeText(id).slice(0, 12);
}
