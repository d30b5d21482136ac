/**
 * JSON text that is already serialised. The encoders splice it in unchanged, so that what only
 * passes through is not parsed and printed again. Whoever makes one answers for its validity.
 */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The parsed value, so that `JSON.stringify` of an object that holds one stays correct. */
  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}
