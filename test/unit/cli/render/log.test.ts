import { describe, expect, test } from 'vitest';
import { describeEntry, renderLog, renderLogTail } from '../../../../lib/cli/render/log.ts';
import { PLAIN } from '../../../../lib/cli/render/style.ts';

const ENTRY = {
  index: 7,
  term: 2,
  command: 'key:x',
  basis: null,
  chain: '',
  body: {
    kind: 'failover',
    at: Date.parse('2026-11-23T09:40:00Z'),
    service: 'checkout',
    to: 'us-west-2',
    force: true,
    by: 'cli:ann',
    reason: 'maintenance',
  },
};

describe('renderLog', () => {
  test('shows one line for each entry, and no-ops as such', () => {
    const entries = [
      { index: 6, term: 2, command: null, basis: null, chain: '', body: null },
      ENTRY,
    ];
    expect(renderLog(entries, PLAIN)).toEqual([
      'index  term  at                    kind      what',
      '6      2                           no-op     a new leader confirmed its term',
      '7      2     2026-11-23 09:40:00Z  failover  checkout → us-west-2, forced, by cli:ann: maintenance',
    ]);
    expect(renderLogTail([ENTRY], PLAIN)).toHaveLength(1);
  });

  test('tells what was refused from what was done', () => {
    const answer = { kind: 'refused', code: 'hold-down' } as const;
    const [, refused] = renderLog([{ ...ENTRY, answer }], PLAIN);
    expect(refused).toMatch(/by cli:ann: maintenance; refused: hold-down$/);
    const done = { ...ENTRY, answer: { kind: 'accepted', code: 'failover-authorised' } as const };
    expect(renderLog([done], PLAIN)[1]).toMatch(/by cli:ann: maintenance$/);
  });

  test('says who votes where that changes', () => {
    const noOp = { index: 6, term: 2, command: null, basis: null, chain: '', body: null };
    const lines = renderLog(
      [
        { ...noOp, configuration: { voters: ['a', 'b', 'c'], outgoing: null, learners: ['c#2'] } },
        {
          ...noOp,
          configuration: { voters: ['a', 'b', 'c#2'], outgoing: ['a', 'b', 'c'], learners: [] },
        },
      ],
      PLAIN,
    );
    expect(lines.slice(1)).toEqual([
      '6      2         voters  a, b, c; learning c#2',
      '6      2         voters  a, b, c#2; leaving c',
    ]);
  });
});

describe('describeEntry', () => {
  test.each([
    [
      {
        kind: 'verdict',
        observer: 'us-east-2',
        service: 'checkout',
        site: 'us-east-1',
        verdict: { state: 'failed', sentence: 'silent for 5 s' },
      },
      'us-east-2 finds checkout@us-east-1 failed: silent for 5 s',
    ],
    [
      { kind: 'configure', configHash: 'ab'.repeat(32), by: 'cli:ann', reason: 'new' },
      'configuration abababababab, by cli:ann: new',
    ],
    [
      { kind: 'claim-step', run: 'checkout-42', step: 'switch', worker: 'us-west-2' },
      'checkout-42: us-west-2 begins switch',
    ],
    [
      {
        kind: 'finish-step',
        run: 'checkout-42',
        step: 'switch',
        result: { kind: 'again', code: 'busy' },
      },
      'checkout-42: switch again (busy)',
    ],
    [
      { kind: 'note', service: 'checkout', by: 'cli:ann', reason: 'drained' },
      'checkout, by cli:ann: drained',
    ],
    [
      { kind: 'alarm', service: 'checkout', site: 'us-east-1', name: 'cpu', state: 'alarm' },
      'checkout@us-east-1: cpu is alarm',
    ],
    [
      {
        kind: 'warning',
        observer: 'us-west-2',
        service: 'checkout',
        site: 'us-east-1',
        warning: { code: 'lag-rising', sentence: 'lag 9.0 s' },
      },
      'us-west-2 warns (lag-rising) of checkout@us-east-1: lag 9.0 s',
    ],
    [
      { kind: 'drill-end', service: 'checkout', force: true, by: 'cli:ann', reason: 'enough' },
      'checkout, forced, by cli:ann: enough',
    ],
    [{ kind: 'from-the-future', service: 'checkout' }, 'checkout'],
    ['not an object', 'a new leader confirmed its term'],
  ])('of %j is %j', (body, sentence) => {
    expect(describeEntry(body)).toBe(sentence);
  });
});
