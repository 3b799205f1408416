/**
 * The one error class that crosses rooms. Expected outcomes are result unions; this is for
 * broken environments and bad input, where the operator needs to know what to do next.
 */

export interface AppErrorOptions {
  /** Stable, kebab-case; tests and scripts match this, never the message. */
  readonly code: string;
  /** What the operator should do next, as one sentence. */
  readonly hint: string;
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean;
  readonly cause?: unknown;
}

export class AppError extends Error {
  readonly code: string;
  readonly hint: string;
  readonly retryable: boolean;

  constructor(message: string, options: AppErrorOptions) {
    super(message, { cause: options.cause });
    this.name = 'AppError';
    this.code = options.code;
    this.hint = options.hint;
    this.retryable = options.retryable;
  }
}

/** Text of a thrown value of unknown type, for logs and `cause` fields. */
export function describeError(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}
