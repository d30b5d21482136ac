/** Says why tests are skipped. Returns false, so that it can stand where a condition stands. */
export function skipReason(reason: string): false {
  process.stderr.write(`skipped: ${reason}\n`);
  return false;
}
