import { createSeededRandom } from "../random.ts";

/** Something that was seen, such as the output of a command. */
export interface Sighting {
  readonly place: string;
  readonly text: string;
}

/** Secrets by name, and where they are found again. */
export interface SecretCorpus {
  /** A new secret: no two are alike, and none is part of an ordinary text. */
  plant(name: string): string;
  /** Takes in a secret that a program made. */
  learn(name: string, value: string): void;
  readonly size: number;
  /** `place: name` for each secret that stands where it must not, in whatever spelling. */
  leaks(
    sightings: readonly Sighting[],
    mayStandIn: (name: string, place: string) => boolean,
  ): string[];
}

/** Unlike letters, these are spelt differently in URLs, in JSON and in base64. */
const ODD = ["+", "/", "=", "%", "&", '"', "\\", "é"];
const LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789".split("");

/** Creates a {@link SecretCorpus}; the same seed plants the same secrets. */
export function createSecretCorpus(seed: number): SecretCorpus {
  const random = createSeededRandom(seed);
  const secrets = new Map<string, string>();
  return {
    plant(name) {
      const letters = (count: number): string =>
        Array.from({ length: count }, () => random.pick(LETTERS)).join("");
      const value = `${letters(9)}${random.pick(ODD)}${letters(15)}`;
      secrets.set(name, value);
      return value;
    },
    learn: (name, value) => void secrets.set(name, value),
    get size() {
      return secrets.size;
    },
    leaks(sightings, mayStandIn) {
      const spelt = [...secrets].map(([name, value]) => ({ name, spellings: spellingsOf(value) }));
      const found = sightings.flatMap(({ place, text }) =>
        spelt
          .filter(({ name }) => !mayStandIn(name, place))
          .filter(({ spellings }) => spellings.some((spelling) => text.includes(spelling)))
          .map(({ name }) => `${place}: ${name}`),
      );
      return [...new Set(found)];
    },
  };
}

/** The ways in which a text may carry a secret without looking like it. */
export function spellingsOf(secret: string): string[] {
  const inJson = JSON.stringify(secret).slice(1, -1);
  const plain = [
    secret,
    inJson,
    JSON.stringify(inJson).slice(1, -1),
    encodeURIComponent(secret),
    encodeURI(secret),
    new URLSearchParams({ s: secret }).toString().slice(2),
    Buffer.from(secret).toString("hex"),
  ];
  // In base64 of something longer it may begin at any of three places; its ends depend on neighbours.
  const shifted = [0, 1, 2].flatMap((shift) => {
    const text = Buffer.from(`${"x".repeat(shift)}${secret}`).toString("base64");
    const inner = text.slice(shift === 0 ? 0 : 4, -4);
    return [inner, inner.replaceAll("+", "-").replaceAll("/", "_")];
  });
  return [...new Set([...plain, ...shifted])];
}
