/**
 * The fence: one TXT record beside a service name that says which switch made the records stand.
 *
 * `_tripoint.checkout.example.test. TXT "v=tp1 term=3 index=42 site=us-east-1 run=checkout-42"`
 *
 * Every switch DELETEs the exact fence it read and CREATEs its own in the same atomic batch, so two
 * switches can never both succeed on the same ground, and a worker that wakes up late fails as a
 * whole. Epochs (term, index) are ordered as Raft orders log entries: term first, then index.
 * Reading is strict: a fence of a later version, or one that a person edited, is `malformed`, and a
 * malformed fence is never overwritten by a machine.
 */
import { type LogIndex, logIndex, type Term, term } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { Epoch } from './state.ts';

export interface Fence {
  readonly epoch: Epoch;
  /** The site that the records beside the fence point at. */
  readonly site: string;
  readonly run: string;
}

export type FenceReading =
  | { readonly kind: 'fence'; readonly fence: Fence }
  | { readonly kind: 'malformed'; readonly detail: string };

const NAME_PATTERN: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const RUN_PATTERN: RegExp = /^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,99}$/;
const FENCE_PATTERN: RegExp =
  /^v=tp1 term=(0|[1-9]\d{0,15}) index=(0|[1-9]\d{0,15}) site=(\S+) run=(\S+)$/;
/** A TXT in presentation format: quoted chunks with spaces between. */
const QUOTED_PATTERN: RegExp = /^"[^"]*"(?: "[^"]*")*$/;

/** The name that holds the fence of `dnsName`. */
export function fenceName(dnsName: string): string {
  return `_tripoint.${dnsName}`;
}

/**
 * The fence as one TXT value, without quotes, at most 255 bytes, so that it is one DNS string.
 * @throws InvariantError for a site or run whose name would not survive the round trip.
 */
export function formatFence({ epoch, site, run }: Fence): string {
  invariant(NAME_PATTERN.test(site), 'fence-site-malformed', { site });
  invariant(RUN_PATTERN.test(run), 'fence-run-malformed', { run });
  const text = `v=tp1 term=${epoch.term} index=${epoch.index} site=${site} run=${run}`;
  invariant(FENCE_PATTERN.test(text) && text.length <= 255, 'fence-malformed', { text });
  return text;
}

/** Reads one TXT value; quotes around it, and a split into chunks, are accepted. Total. */
export function parseFence(value: string): FenceReading {
  const match = FENCE_PATTERN.exec(unquote(value.trim()));
  if (match === null) {
    return { kind: 'malformed', detail: `not a tp1 fence: ${value.slice(0, 255)}` };
  }
  const [, termText = '', indexText = '', site = '', run = ''] = match;
  const termNumber = Number(termText);
  const indexNumber = Number(indexText);
  if (!Number.isSafeInteger(termNumber) || !Number.isSafeInteger(indexNumber)) {
    return { kind: 'malformed', detail: `the epoch is out of range: ${value}` };
  }
  if (!NAME_PATTERN.test(site) || !RUN_PATTERN.test(run)) {
    return { kind: 'malformed', detail: `the site or run is not a name: ${value.slice(0, 255)}` };
  }
  const epoch: Epoch = { term: term(termNumber), index: logIndex(indexNumber) };
  return { kind: 'fence', fence: { epoch, site, run } };
}

/** Negative when `a` is older than `b`, positive when newer, 0 when equal. */
export function compareEpochs(a: Epoch, b: Epoch): number {
  return compare(a.term, b.term) || compare(a.index, b.index);
}

function compare<Counter extends Term | LogIndex>(a: Counter, b: Counter): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function unquote(text: string): string {
  return QUOTED_PATTERN.test(text) ? text.slice(1, -1).split('" "').join('') : text;
}
