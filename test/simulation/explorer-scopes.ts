/**
 * The scopes that are explored: small ones within `npm test`, the standard ones by `npm run explore`,
 * the large ones by `npm run explore -- --scope large`.
 */
import type { Scope } from '../../lib/simulation/explorer-scope.ts';

export interface NamedScope {
  readonly name: string;
  readonly scope: Scope;
}

/** Two terms and one command, any number of callers; nothing else is in scope. */
export const CROWD: Scope = {
  terms: 2,
  commands: 1,
  callers: 'any',
  lateWrites: 0,
  hasHints: false,
  areAppendsCut: false,
  keepsLostLeaders: false,
  hasReads: false,
  hasCompaction: false,
};
const COMPACTION = { hasHints: true, hasCompaction: true };

export const SMALL: readonly NamedScope[] = [
  { name: 'any callers', scope: { ...CROWD, hasHints: true, areAppendsCut: true } },
  { name: 'any callers that read', scope: { ...CROWD, commands: 0, hasReads: true } },
  { name: 'compaction', scope: { ...CROWD, terms: 1, callers: 1, ...COMPACTION } },
];

export const STANDARD: readonly NamedScope[] = [
  { name: 'any callers, four terms', scope: { ...CROWD, terms: 4, commands: 2 } },
  {
    name: 'any callers, hints, cut appends',
    scope: { ...CROWD, terms: 3, hasHints: true, areAppendsCut: true },
  },
  { name: 'any callers that read', scope: { ...CROWD, terms: 3, hasReads: true } },
  {
    name: 'figure 8',
    scope: { ...CROWD, terms: 4, commands: 0, areAppendsCut: true, keepsLostLeaders: true },
  },
  {
    name: 'two callers with a late write',
    scope: { ...CROWD, commands: 0, callers: 2, lateWrites: 1 },
  },
  {
    name: 'two callers, two commands, two late writes',
    scope: { ...CROWD, terms: 1, commands: 2, callers: 2, lateWrites: 2 },
  },
  { name: 'compaction', scope: { ...CROWD, commands: 0, callers: 1, ...COMPACTION } },
  {
    name: 'compaction of commands',
    scope: { ...CROWD, terms: 1, commands: 2, callers: 1, ...COMPACTION },
  },
];

export const LARGE: readonly NamedScope[] = [
  { name: 'any callers, hints', scope: { ...CROWD, terms: 3, commands: 2, hasHints: true } },
  {
    name: 'any callers, cut appends',
    scope: { ...CROWD, terms: 4, commands: 2, areAppendsCut: true },
  },
  { name: 'any callers that read', scope: { ...CROWD, terms: 3, commands: 2, hasReads: true } },
  { name: 'two callers with a late write', scope: { ...CROWD, callers: 2, lateWrites: 1 } },
  { name: 'compaction', scope: { ...CROWD, callers: 1, ...COMPACTION } },
];
