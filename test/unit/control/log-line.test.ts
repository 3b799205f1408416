/** An entry has one line, and the line has one entry. */
import { describe, expect, test } from 'vitest';
import { commandId, logIndex, regionId, term } from '../../../lib/base/identifiers.ts';
import { applyEntries, CHAIN_START, emptyReplica } from '../../../lib/consensus/replica.ts';
import type { Entry } from '../../../lib/consensus/server.ts';
import {
  decodeLogLine,
  decodeTrailer,
  encodeLogLine,
  encodeTrailer,
  entryOf,
  linkAfter,
  viewOf,
} from '../../../lib/control/log-line.ts';
import { createControlMachine } from '../../../lib/control/machine.ts';
import { OBSERVERS } from '../../support/service-states.ts';
import { sha256 } from './archived-log.ts';

const [A, B, C] = ['us-east-1', 'us-east-2', 'us-west-2'].map(regionId);
const voters = [A, B, C].filter((region) => region !== undefined);
const body = { kind: 'note', service: 'checkout', by: 'ann', reason: 'a "q" \n ü', at: 5 };
const ENTRIES: readonly Entry[] = [
  { index: logIndex(1), term: term(1), command: null },
  {
    index: logIndex(2),
    term: term(1),
    command: { id: commandId('x'), basis: logIndex(0), body },
  },
  {
    index: logIndex(3),
    term: term(2),
    command: null,
    configuration: { voters, outgoing: null, learners: [] },
  },
  {
    index: logIndex(4),
    term: term(2),
    command: null,
    configuration: { voters, outgoing: voters, learners: voters.slice(1) },
  },
];
const machine = createControlMachine(OBSERVERS);
const { applied } = applyEntries(emptyReplica(machine), ENTRIES, { machine, sha256 });

describe('the line of an entry', () => {
  test.each(applied.map((one) => [one.entry.index, one] as const))(
    'gives entry %i back, and its link',
    (_, one) => {
      const view = viewOf(one);
      const line = encodeLogLine(view);
      expect(line).not.toContain('\n');
      expect(decodeLogLine(line)).toEqual(view);
      expect(entryOf(view)).toEqual(one.entry);
      const before = applied[one.entry.index - 2]?.chain ?? CHAIN_START;
      expect(linkAfter(before, view, sha256)).toBe(one.chain);
    },
  );

  test.each([
    '',
    'null',
    '[]',
    '{}',
    '{"index":-1,"term":1,"id":null,"basis":null,"body":null,"chain":""}',
    '{"index":1,"term":1,"id":"x","basis":null,"body":null,"chain":""}',
    '{"index":1,"term":1,"id":null,"basis":null,"body":null,"configuration":[],"chain":""}',
    '{"index":1,"term":1,"id":null,"basis":null,"body":null}',
  ])('is nothing else: %s', (line) => {
    expect(decodeLogLine(line)).toBeNull();
  });
});

test('the last line of a file gives back what it says', () => {
  const trailer = { first: 1, last: 4, chain: applied[3]?.chain ?? '' };
  expect(decodeTrailer(encodeTrailer(trailer))).toMatchObject(trailer);
  expect(
    decodeTrailer(encodeLogLine(viewOf(applied[1] ?? { entry: ENTRIES[0] as Entry, chain: '' }))),
  ).toBeNull();
});
