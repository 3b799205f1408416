/**
 * The explorer in scopes that take a moment, its controls, and the two ways of counting callers
 * against each other. `npm run explore` goes further.
 */
import { describe, expect, test } from 'vitest';
import type { Server } from '../../../lib/consensus/server.ts';
import { explore, type Violation } from '../../../lib/simulation/explorer.ts';
import { RULES, type Scope } from '../../../lib/simulation/explorer-scope.ts';
import { layoutOf } from '../../../lib/simulation/explorer-state.ts';
import { newCatalogues, Symmetry } from '../../../lib/simulation/explorer-symmetry.ts';
import { CONTROLS } from '../../simulation/explorer-controls.ts';
import { SMALL } from '../../simulation/explorer-scopes.ts';

const STATES_MAX = 200_000;
const ELECTION_KINDS = ['campaign', 'vote', 'lead', 'append'];
const ALL_KINDS = [...ELECTION_KINDS, 'propose', 'compact', 'install'];
const [CROWD] = SMALL;

function scopeWith(changes: Partial<Scope>): Scope {
  if (CROWD === undefined) {
    throw new Error('no small scope');
  }
  const bounds = { hasHints: false, areAppendsCut: false };
  return { ...CROWD.scope, ...bounds, ...changes };
}

describe('within a small scope', () => {
  test.each(SMALL)('$name: every state keeps every promise', ({ scope }) => {
    const { states, depth, writes, violation } = explore({
      rules: RULES,
      scope,
      statesMax: STATES_MAX,
    });
    expect(violation).toBeNull();
    expect(states).toBeGreaterThan(1000);
    expect(depth).toBeGreaterThan(10);
    expect(Object.keys(writes)).toEqual(
      expect.arrayContaining(scope.hasCompaction ? ALL_KINDS : ELECTION_KINDS),
    );
  });

  test('the same states are found each time', () => {
    const scope = scopeWith({ commands: 0 });
    const once = explore({ rules: RULES, scope, statesMax: STATES_MAX });
    expect(explore({ rules: RULES, scope, statesMax: STATES_MAX })).toEqual(once);
  });

  test('more states than there is room for are an error, not a result', () => {
    const scope = scopeWith({});
    expect(() => explore({ rules: RULES, scope, statesMax: 100 })).toThrow('scope-too-large');
  });
});

describe('a control is found out:', () => {
  const found = new Map<string, Violation | null>();

  test.each(CONTROLS)('$name', ({ name, rules, scope }) => {
    const { violation } = explore({ rules, scope, statesMax: STATES_MAX });
    found.set(name, violation);
    expect(violation?.trace.length).toBeGreaterThan(2);
  });

  test('the trace tells figure 8 move by move', () => {
    const violation = found.get('a commit through an entry of an older term');
    expect(violation?.code).toBe('leader-lacks-committed-entry');
    const trace = violation?.trace ?? [];
    expect(trace.filter((line) => line.includes('is made to lead')).length).toBe(4);
    expect(trace.at(-1)).toMatch(/is made to lead term 4 → .*leader-lacks-committed-entry/);
  });
});

/** Names for the registers' contents, the same for all that differ in names only. */
function registerNames(scope: Scope): (registers: readonly Server[]) => string {
  const catalogues = newCatalogues();
  const symmetry = new Symmetry(catalogues, scope);
  const rest = new Array<number>(layoutOf(scope).width - 3).fill(0);
  return (registers) => {
    const numbers = registers.map((server) => catalogues.servers.numberOf(server));
    symmetry.fingerprint([...numbers, ...rest]);
    return `${symmetry.high}/${symmetry.low}`;
  };
}

test.each([
  [{ terms: 1, commands: 1, callers: 1, lateWrites: 1 }],
  [{ terms: 2, commands: 0, callers: 1, lateWrites: 1 }],
])('counted callers (%o) and an uncounted crowd reach the same registers', (changes) => {
  const uncounted = scopeWith({ ...changes, callers: 'any', lateWrites: 0 });
  const nameOf = registerNames(uncounted);
  const reachedIn = (scope: Scope) => {
    const reached = new Set<string>();
    const onState = (registers: readonly Server[]) => reached.add(nameOf(registers));
    const { violation } = explore({ rules: RULES, scope, statesMax: STATES_MAX, onState });
    expect(violation).toBeNull();
    return reached;
  };
  const counted = reachedIn(scopeWith(changes));
  const crowd = reachedIn(uncounted);
  expect(counted.size).toBeGreaterThan(20);
  expect(counted).toEqual(crowd);
});
