/** A step that failed, with the last lines of the process that it failed in. */
export class TourError extends Error {
  override readonly name = "TourError";
  readonly lastWords: readonly string[];

  constructor(message: string, lastWords: readonly string[] = []) {
    super(message);
    this.lastWords = [...lastWords];
  }
}
