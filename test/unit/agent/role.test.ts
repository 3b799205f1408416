import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideRole, isSameRole, ROLE_UNKNOWN, type SiteRole } from '../../../lib/agent/role.ts';

const roles = fc.constantFrom<SiteRole['role']>('active', 'standby', 'unknown');
const epochs = fc.option(fc.record({ term: fc.nat({ max: 3 }), index: fc.nat({ max: 3 }) }));
const answers = fc.array(fc.record({ role: roles, epoch: epochs }), { maxLength: 5 });

describe('decideRole', () => {
  it('knows nothing when no region has answered', () => {
    expect(decideRole([])).toEqual(ROLE_UNKNOWN);
  });

  it('believes the highest epoch against any majority', () => {
    const old = { role: 'active', epoch: { term: 3, index: 900 } } as const;
    const latest = { role: 'standby', epoch: { term: 4, index: 12 } } as const;
    expect(decideRole([old, latest, old])).toEqual(latest);
  });

  it('orders epochs of one term by index', () => {
    const former = { role: 'standby', epoch: { term: 4, index: 9 } } as const;
    const latter = { role: 'active', epoch: { term: 4, index: 10 } } as const;
    expect(decideRole([latter, former])).toEqual(latter);
  });

  it('stands by when one epoch carries two roles', () => {
    const epoch = { term: 1, index: 1 };
    const claims: SiteRole[] = [
      { role: 'unknown', epoch },
      { role: 'active', epoch },
      { role: 'standby', epoch },
    ];
    expect(decideRole(claims).role).toBe('standby');
  });

  it('lets a region without knowledge change nothing', () => {
    const known = { role: 'active', epoch: { term: 2, index: 2 } } as const;
    expect(decideRole([known, ROLE_UNKNOWN])).toEqual(known);
  });

  it('does not depend on the order in which regions answered', () => {
    fc.assert(
      fc.property(answers, (given) => {
        expect(isSameRole(decideRole(given), decideRole(given.toReversed()))).toBe(true);
      }),
    );
  });

  it('never goes active against an equal or newer word that says standby', () => {
    fc.assert(
      fc.property(answers, (given) => {
        const decided = decideRole(given);
        fc.pre(decided.role === 'active');
        for (const { role, epoch } of given) {
          const isNewer = decideRole([{ role: 'unknown', epoch }, decided]).role === 'unknown';
          expect(isNewer).toBe(false);
          expect(role === 'standby' && isSameRole({ role: 'active', epoch }, decided)).toBe(false);
        }
      }),
    );
  });
});

describe('isSameRole', () => {
  it('sees a change of the epoch as well as of the role', () => {
    const role = { role: 'active', epoch: { term: 1, index: 5 } } as const;
    expect(isSameRole(role, { role: 'active', epoch: { term: 1, index: 5 } })).toBe(true);
    expect(isSameRole(role, { role: 'active', epoch: { term: 1, index: 6 } })).toBe(false);
    expect(isSameRole(role, { role: 'active', epoch: null })).toBe(false);
    expect(isSameRole(role, { role: 'standby', epoch: { term: 1, index: 5 } })).toBe(false);
  });
});
