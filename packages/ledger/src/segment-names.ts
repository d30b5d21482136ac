const PATTERN = /^journal-(\d{8,})\.log$/;

/** File name of a segment; segments are numbered from 1, without gaps. */
export function segmentName(number: number): string {
  return `journal-${String(number).padStart(8, "0")}.log`;
}

/** The numbers of the segments among `names`, ascending. */
export function segmentNumbers(names: readonly string[]): number[] {
  const numbers: number[] = [];
  for (const name of names) {
    const digits = PATTERN.exec(name)?.[1];
    if (digits !== undefined) numbers.push(Number(digits));
  }
  return numbers.toSorted((a, b) => a - b);
}
