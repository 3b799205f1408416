/** One thing that is wrong with a configuration, with what to do about it. */

export type Path = readonly (string | number)[];

export interface Problem {
  /** Where in the document, e.g. `services.checkout.sites.us-east-1.tokens[0]`; empty = all of it. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  readonly message: string;
  /** What to write instead, as an instruction. */
  readonly fix: string;
}

/** A problem that does not know its position yet. */
export interface Finding {
  readonly path: Path;
  /** Whether the key is wrong rather than its value. */
  readonly atKey: boolean;
  readonly message: string;
  readonly fix: string;
}

export function formatPath(path: Path): string {
  return path
    .map((key, position) =>
      typeof key === 'number' ? `[${key}]` : position === 0 ? key : `.${key}`,
    )
    .join('');
}
