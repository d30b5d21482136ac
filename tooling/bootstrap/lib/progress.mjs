// Says on stderr what is happening while somebody waits. On a terminal one line is rewritten every
// second; elsewhere there is a line at the beginning and one now and then.

const TERMINAL_INTERVAL_MS = 1_000;
const LOG_INTERVAL_MS = 15_000;
const CLEAR_LINE = "\r\u001B[2K";

/**
 * @typedef {object} Progress
 * @property {(detail: string) => void} detail says how far the work is; shown with the next tick
 * @property {(outcome: string) => void} done ends the display with one last line
 */

/**
 * @param {string} title what is being done, e.g. "Installing dependencies"
 * @param {{ isTTY?: boolean, write(text: string): unknown }} [out]
 * @returns {Progress}
 */
export function showProgress(title, out = process.stderr) {
  const startedAt = Date.now();
  const isTerminal = out.isTTY === true;
  let detail = "";
  const line = () => {
    const seconds = Math.round((Date.now() - startedAt) / 1_000);
    return `${title} … ${seconds} s${detail === "" ? "" : `, ${detail}`}`;
  };
  const tick = () => void out.write(isTerminal ? `${CLEAR_LINE}${line()}` : `${line()}\n`);
  out.write(isTerminal ? line() : `${title} …\n`);
  const timer = setInterval(tick, isTerminal ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS);
  return {
    detail(text) {
      detail = text;
    },
    done(outcome) {
      clearInterval(timer);
      const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
      out.write(`${isTerminal ? CLEAR_LINE : ""}${outcome} (${seconds} s)\n`);
    },
  };
}
