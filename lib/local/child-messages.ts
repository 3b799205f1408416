/**
 * What the supervisor and its children say to each other over the IPC channel.
 *
 * Settings travel here and not in arguments or the environment, because they hold tokens and every
 * user of a machine can read those. The channel is also the life line: it closes when the supervisor
 * is gone, however it went, and a child without a supervisor ends itself.
 *
 * ```
 * supervisor                       child
 *     │── settings ──────────────────▶│  opens its stores
 *     │◀───────────────── prepared ───│
 *     │── run ───────────────────────▶│  begins its work
 *     │◀──────────────────── ready ───│        (or `failed`, at any time before, and exits)
 *     │── stop ──────────────────────▶│  closes everything, exits 0
 * ```
 */

export type ToChild =
  | { readonly kind: 'settings'; readonly settings: unknown }
  | { readonly kind: 'run' }
  | { readonly kind: 'stop' };

/** Why a child could not start: an AppError in words. */
export interface ChildFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export type FromChild =
  | { readonly kind: 'prepared' }
  | { readonly kind: 'ready' }
  | ({ readonly kind: 'failed' } & ChildFailure);

export function isFromChild(message: unknown): message is FromChild {
  const kind = kindOf(message);
  return kind === 'prepared' || kind === 'ready' || kind === 'failed';
}

export function isToChild(message: unknown): message is ToChild {
  const kind = kindOf(message);
  return kind === 'settings' || kind === 'run' || kind === 'stop';
}

function kindOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'kind' in message ? message.kind : null;
}
