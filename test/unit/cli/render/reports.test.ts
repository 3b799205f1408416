import { expect, test } from 'vitest';
import { renderVerdict } from '../../../../lib/cli/render/reports.ts';
import { PLAIN } from '../../../../lib/cli/render/style.ts';
import { ONLY_THE_LOG } from '../../../../lib/control/report-claims.ts';

const VERDICT = {
  outcome: 'intact',
  file: 'report.json',
  run: 'checkout-42',
  digest: null,
  entries: 9,
  replayed: null,
  problems: [],
} as const;

test('what a report alone does not show stands by what it is about, and none of it is left out', () => {
  const parts = ['kind', 'analysis', 'rto.objectiveMs', 'steps.*.kind', 'steps.2', 'new.part'];
  const unproven = ['an entry is missing', `${ONLY_THE_LOG}${parts.join(', ')}`];
  expect(renderVerdict({ ...VERDICT, unproven }, PLAIN).slice(1)).toEqual([
    'not shown: an entry is missing',
    'not shown by the report alone; --log proves most of it:',
    '  the run: kind',
    '  its grounds and end: analysis',
    '  objectives and loss: rto.objectiveMs',
    '  steps: kind, all of steps.2',
    '  other: new.part',
  ]);
});
