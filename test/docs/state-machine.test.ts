import { describe, expect, test } from 'vitest';
import { TRANSITIONS } from '../../lib/recovery/transitions.ts';
import { expectGeneratedPage } from './generated-page.ts';
import { renderStateMachinePage } from './state-machine-page.ts';

describe('docs/state-machine.md', () => {
  test('says what the table says', () => {
    expectGeneratedPage('docs/state-machine.md', renderStateMachinePage());
  });

  test('has a line for each row', () => {
    const page = renderStateMachinePage();
    const lines = page
      .split('\n')
      .filter((line) => /^\| [a-z-]+ +\| [a-z-]+-[a-z]+ +\|/.test(line));
    expect(lines).toHaveLength(TRANSITIONS.length);
  });

  test('draws every change of phase', () => {
    const page = renderStateMachinePage();
    const changes = TRANSITIONS.filter(({ phase, next }) => phase !== next);
    for (const { phase, next } of changes) {
      expect(page).toContain(`${phase.replaceAll('-', '_')} --> ${next.replaceAll('-', '_')} : `);
    }
  });
});
