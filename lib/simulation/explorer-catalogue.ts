/**
 * Numbers for values, so that a state is a short row of numbers: two states are equal when their rows
 * are, and what was computed once for a value is looked up by its number.
 */
import type { CommandId, RegionId, Term } from '../base/identifiers.ts';
import { commandId, logIndex, regionId } from '../base/identifiers.ts';
import { invariant } from '../base/invariant.ts';
import type { Base, Command, Entry, Identity, Server } from '../consensus/server.ts';

/** The regions, in the order of their numbers. */
export const REGIONS: readonly RegionId[] = ['a', 'b', 'c'].map(regionId);

export const COMMANDS: readonly Command[] = ['x', 'y'].map((name) => ({
  id: commandId(name),
  basis: logIndex(0),
  body: null,
}));

export const IDENTITIES: readonly Identity[] = REGIONS.map((region) => ({
  clusterId: 'explored',
  region,
  founders: REGIONS,
  incarnation: 1,
}));

/** A region that stands for election, as the process that collects its votes knows it. */
export interface Candidacy {
  readonly term: Term;
  readonly candidate: RegionId;
  /** End of the candidate's log as it was after its own vote. */
  readonly last: Base;
  /** Sorted; empty once it is elected: further votes change nothing. */
  readonly votes: readonly RegionId[];
  readonly isElected: boolean;
}

/** What anybody could ever prove to be committed. */
export interface Judged {
  readonly entries: readonly Entry[];
  /** For each entry the lowest term whose leader was seen to commit it. */
  readonly by: readonly Term[];
}

export const NOTHING_JUDGED: Judged = { entries: [], by: [] };

export class Catalogue<Value> {
  readonly #textOf: (value: Value) => string;
  readonly #numbers = new Map<string, number>();
  readonly #values: Value[] = [];

  constructor(textOf: (value: Value) => string) {
    this.#textOf = textOf;
  }

  get size(): number {
    return this.#values.length;
  }

  /** From 1; 0 is for "none". */
  numberOf(value: Value): number {
    const text = this.#textOf(value);
    const known = this.#numbers.get(text);
    if (known !== undefined) {
      return known;
    }
    this.#values.push(value);
    this.#numbers.set(text, this.#values.length);
    return this.#values.length;
  }

  valueOf(number: number): Value {
    const value = this.#values[number - 1];
    invariant(value !== undefined, 'catalogue-number-unknown', { number });
    return value;
  }
}

export function regionNumber(region: RegionId): number {
  return REGIONS.indexOf(region);
}

/** `3x` is command x of term 3, `3-` the no-op of term 3. */
function entryText({ term, command }: Entry): string {
  return `${term}${command?.id ?? '-'}`;
}

function logText({ base, entries }: Pick<Server, 'base' | 'entries'>): string {
  const covered = base.index > 0 ? [`(${base.index}/${base.term})`] : [];
  return [...covered, ...entries.map(entryText)].join(' ');
}

/** All of a server that can differ here. */
export function serverText(server: Server): string {
  const { identity, term, votedFor, leaderOf, commitIndex } = server;
  const role = leaderOf > 0 ? 'leads ' : votedFor === null ? '' : `voted ${votedFor} `;
  const hint = commitIndex === 0 ? '' : ` commit ${commitIndex}`;
  return `${identity.region} term ${term} ${role}[${logText(server)}]${hint}`;
}

export function candidacyText({ term, candidate, last, votes, isElected }: Candidacy): string {
  return `${candidate} ${term} ${last.index}/${last.term} ${isElected ? 'elected' : votes.join()}`;
}

export function judgedText({ entries, by }: Judged): string {
  return entries.map((entry, place) => `${entryText(entry)}<${by[place]}`).join(' ');
}

/** How many entries from the first on are as judged; what a base covers is taken as it stands. */
export function heldOf(server: Server, { entries }: Judged): number {
  const { base } = server;
  const isBaseJudged = base.index === 0 || entries[base.index - 1]?.term === base.term;
  if (!isBaseJudged) {
    return 0;
  }
  const differs = entries.findIndex(
    (entry, place) =>
      place >= base.index && !isSameEntry(entry, server.entries[place - base.index]),
  );
  return differs === -1 ? entries.length : differs;
}

export function isSameEntry(left: Entry, right: Entry | undefined): boolean {
  return left.term === right?.term && idOf(left) === idOf(right);
}

function idOf(entry: Entry): CommandId | null {
  return entry.command?.id ?? null;
}
