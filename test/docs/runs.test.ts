import { expect, test } from 'vitest';
import { expectGeneratedPage } from './generated-page.ts';
import { plansTable, renderRunsPage } from './runs-page.ts';

test('docs/runs.md says what the plans are', () => {
  expectGeneratedPage('docs/runs.md', renderRunsPage());
});

test('every plan in it moves the traffic exactly once as a whole', () => {
  const rows = plansTable().split('\n').slice(2);
  expect(rows.length).toBeGreaterThan(8);
  for (const row of rows) {
    expect(row.match(/\*\*switch\*\*/g)).toHaveLength(1);
  }
});
