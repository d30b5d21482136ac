import qrcode from "qrcode-generator";

/** Modules of light around a code, without which scanners do not find it. */
const QUIET_ZONE = 4;

export interface DrawOptions {
  /**
   * Sets both colours itself, black on white, so that it looks the same on every terminal. Without it
   * the light parts are drawn in the terminal's own text colour, which suits a dark background.
   */
  colour: boolean;
}

export interface QrDrawing {
  readonly text: string;
  /** How wide it is, in characters of the terminal. */
  readonly columns: number;
}

/**
 * A QR code for a terminal. One character stands for two modules, one above the other, so that the
 * modules are about square.
 */
export function drawQr(text: string, { colour }: DrawOptions): QrDrawing {
  const code = qrcode(0, "L");
  code.addData(text, "Byte");
  code.make();
  const size = code.getModuleCount();
  const isDark = (row: number, column: number): boolean =>
    row >= 0 && row < size && column >= 0 && column < size && code.isDark(row, column);

  const lines: string[] = [];
  for (let row = -QUIET_ZONE; row < size + QUIET_ZONE; row += 2) {
    let line = "";
    for (let column = -QUIET_ZONE; column < size + QUIET_ZONE; column += 1) {
      const [upper, lower] = [isDark(row, column), isDark(row + 1, column)];
      // What is drawn is dark where we choose the colours, and light where the terminal does.
      line += half(upper === colour, lower === colour);
    }
    lines.push(colour ? `${BLACK_ON_WHITE}${line}${RESET}` : line);
  }
  return { text: lines.join("\n"), columns: size + 2 * QUIET_ZONE };
}

/** Of the fixed part of the palette, which no theme changes. */
const BLACK_ON_WHITE = "\u001b[38;5;16;48;5;231m";
const RESET = "\u001b[0m";

function half(upper: boolean, lower: boolean): string {
  if (upper) return lower ? "█" : "▀";
  return lower ? "▄" : " ";
}
