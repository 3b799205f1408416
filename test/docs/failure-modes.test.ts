import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ProposeOutcome } from '../../lib/consensus/proposals.ts';
import { STEP_CODES } from '../../lib/control/step-effects/step-work.ts';
import { OPINION_CODES } from '../../lib/detection/opinion.ts';
import { VERDICT_CODES } from '../../lib/detection/verdict.ts';
import { ACTION_REFUSALS, ACTION_WAITS } from '../../lib/recovery/action-ports.ts';
import { ANALYSIS_CODES } from '../../lib/recovery/analysis.ts';
import { DECISION_CODES } from '../../lib/recovery/decision.ts';
import { READINESS_CODES } from '../../lib/recovery/readiness.ts';
import { LOG_STEP_CODES } from '../../lib/recovery/run.ts';
import type { ClaimOutcome, FinishOutcome } from '../../lib/recovery/step-claims.ts';
import { BATCH_REFUSAL_CODES } from '../../lib/recovery/switch-batch.ts';
import { SWITCH_REFUSAL_CODES } from '../../lib/recovery/switch-plan.ts';

/** The compiler holds these to the types that name the codes. */
const REJECTIONS: { readonly [Code in Refused<ProposeOutcome, 'rejected'>]: true } = {
  'no-leader': true,
  'no-quorum': true,
  'too-large': true,
  busy: true,
  'log-full': true,
  'command-id-reused': true,
};

const CLAIM_REFUSALS: {
  readonly [Code in Refused<ClaimOutcome | FinishOutcome, 'refused'>]: true;
} = {
  'run-not-open': true,
  'not-an-open-step': true,
  'needs-no-worker': true,
  claimed: true,
  'claim-superseded': true,
};

type Refused<Outcome, Kind> =
  Extract<Outcome, { readonly kind: Kind }> extends {
    readonly code: infer Code extends string;
  }
    ? Code
    : never;

/** Codes that the reducers write in their sources, besides those that a decision or a run gives them. */
const ANSWERS: readonly string[] = [
  'approved',
  'rejected',
  'workers-lost',
  ...readdirSync('lib/control').flatMap((file) => {
    const source = file.endsWith('.ts') ? readFileSync(`lib/control/${file}`, 'utf8') : '';
    return [...source.matchAll(/\b(?:accepted|refused)\(\s*'([a-z-]+)'/g)].map(
      ([, code = '']) => code,
    );
  }),
];

const page = readFileSync('docs/failure-modes.md', 'utf8');

interface Row {
  readonly code: string;
  readonly cells: readonly string[];
}

/** The rows of the tables of one section. */
function rowsOf(section: string): readonly Row[] {
  const start = page.indexOf(`\n## ${section}\n`);
  expect(start, `the section ${section}`).toBeGreaterThan(0);
  const end = page.indexOf('\n## ', start + 4);
  const text = page.slice(start, end === -1 ? undefined : end);
  return [...text.matchAll(/^\| `([a-z-]+)` +\|(.*)\|$/gm)].map(([, code = '', cells = '']) => ({
    code,
    cells: cells.split('|').map((cell) => cell.trim()),
  }));
}

const sorted = (codes: Iterable<string>) => [...new Set(codes)].toSorted();

describe('docs/failure-modes.md', () => {
  test.each([
    ['Analysis', ANALYSIS_CODES],
    ['Decisions', DECISION_CODES],
    ['Readiness', READINESS_CODES],
    ['Opinions', Object.keys(OPINION_CODES)],
    ['Verdicts', Object.keys(VERDICT_CODES)],
    [
      'Steps of a run',
      [
        ...STEP_CODES,
        ...ACTION_WAITS,
        ...ACTION_REFUSALS,
        ...LOG_STEP_CODES,
        ...BATCH_REFUSAL_CODES,
        ...SWITCH_REFUSAL_CODES,
      ],
    ],
    [
      'Answers to commands',
      [...ANSWERS, ...Object.keys(CLAIM_REFUSALS), ...Object.keys(REJECTIONS)],
    ],
  ])('explains in "%s" each of its codes, once, and no other', (section, codes) => {
    const explained = rowsOf(section).map(({ code }) => code);
    expect(explained.toSorted()).toEqual(sorted(codes));
  });

  test('says of each the evidence, what Tripoint does, and what is left to do', () => {
    const rows = [...page.matchAll(/^## (.+)$/gm)].flatMap(([, section = '']) => rowsOf(section));
    expect(rows.length).toBeGreaterThan(60);
    for (const { code, cells } of rows) {
      expect(cells, code).toHaveLength(3);
      expect(Math.min(...cells.map((cell) => cell.length)), code).toBeGreaterThan(5);
    }
  });

  test('gives each opinion and verdict the state that it leads to', () => {
    const states = { Opinions: OPINION_CODES, Verdicts: VERDICT_CODES };
    for (const [section, codes] of Object.entries(states)) {
      const stateOf: { readonly [name: string]: string } = codes;
      for (const { code, cells } of rowsOf(section)) {
        const state = stateOf[code];
        expect(cells[0]?.toLowerCase(), code).toMatch(new RegExp(`_${state}[._]`));
      }
    }
  });

  test('found the codes that the reducer answers with', () => {
    expect(ANSWERS).toContain('config-applied');
    expect(ANSWERS).toContain('unknown-service');
  });
});
