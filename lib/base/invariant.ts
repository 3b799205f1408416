/**
 * Assertions that stay on in production (docs/style.md rule 27).
 *
 * A violated invariant stops the step that met it: a safety bug becomes a liveness bug, which an
 * operator can see and a quorum can survive.
 */

export class InvariantError extends Error {
  readonly code: string;
  readonly detail: unknown;

  constructor(code: string, detail: unknown) {
    super(`invariant violated: ${code} ${JSON.stringify(detail) ?? ''}`);
    this.name = 'InvariantError';
    this.code = code;
    this.detail = detail;
  }
}

/** @throws InvariantError with `code` when the condition does not hold. */
export function invariant(
  condition: boolean,
  code: string,
  detail: unknown = null,
): asserts condition {
  if (!condition) {
    throw new InvariantError(code, detail);
  }
}

/** Marks the branch that an exhaustive `switch` cannot reach. */
export function assertNever(value: never): never {
  throw new InvariantError('unreachable-branch', value);
}
