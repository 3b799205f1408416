import { describe, expect, it } from 'vitest';
import { assertNever, InvariantError, invariant } from '../../../lib/base/invariant.ts';

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (thrown) {
    return thrown;
  }
  return null;
}

describe('invariant', () => {
  it('passes in silence when the condition holds', () => {
    expect(thrownBy(() => invariant(true, 'never-seen'))).toBeNull();
  });

  it('stops the step with a code and the facts', () => {
    const thrown = thrownBy(() => invariant(false, 'log-not-contiguous', { index: 7 }));
    expect(thrown).toBeInstanceOf(InvariantError);
    expect(thrown).toMatchObject({ code: 'log-not-contiguous', detail: { index: 7 } });
    expect(String(thrown)).toContain('log-not-contiguous {"index":7}');
  });

  it('has a message also when the detail has no JSON text', () => {
    expect(String(thrownBy(() => invariant(false, 'odd', undefined)))).toContain('odd null');
    expect(String(thrownBy(() => invariant(false, 'odd', () => 1)))).toContain('odd');
  });
});

describe('assertNever', () => {
  it('names the value that no branch expected', () => {
    expect(() => assertNever('new-state' as never)).toThrow('unreachable-branch "new-state"');
  });
});
