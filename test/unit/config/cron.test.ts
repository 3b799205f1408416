import { describe, expect, test } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { checkCron, isTimezone, nextOccurrence } from '../../../lib/config/cron.ts';

/** The next `count` instants in UTC after a local story begins. */
function occurrences(...[cron, timezone, after, count]: [string, string, string, number]) {
  let instant = epochMillis(Date.parse(after));
  return Array.from({ length: count }, () => {
    instant = nextOccurrence({ cron, timezone }, instant) ?? epochMillis(0);
    return new Date(instant).toISOString().slice(0, 16);
  });
}

describe('nextOccurrence', () => {
  test('follows the wall clock of its zone over both changes of the year', () => {
    expect(occurrences('0 3 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:00',
      '2026-03-30T01:00',
    ]);
    expect(occurrences('0 3 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T02:00',
      '2026-10-26T02:00',
    ]);
  });

  test('runs a job once on the night that lacks its hour, and once on the night that has it twice', () => {
    expect(occurrences('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:00',
      '2026-03-30T00:30',
    ]);
    expect(occurrences('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ]);
  });

  test('runs a job of each hour in each hour that passes, 25 of them on the longest day', () => {
    const hours = occurrences('0 * * * *', 'Europe/Berlin', '2026-10-24T22:00:00Z', 5);
    expect(hours).toEqual([
      '2026-10-24T23:00',
      '2026-10-25T00:00',
      '2026-10-25T01:00',
      '2026-10-25T02:00',
      '2026-10-25T03:00',
    ]);
  });

  test('is after the instant that is asked for, to the millisecond', () => {
    const three = Date.parse('2026-11-23T03:00:00Z');
    const next = (after: number) =>
      nextOccurrence({ cron: '0 3 * * *', timezone: 'UTC' }, epochMillis(after));
    expect(next(three - 1)).toBe(three);
    expect(next(three)).toBe(three + 86_400_000);
  });

  test('has no instant for what is no expression', () => {
    expect(nextOccurrence({ cron: 'never', timezone: 'UTC' }, epochMillis(0))).toBeNull();
    expect(nextOccurrence({ cron: '0 3 * * *', timezone: 'Mars' }, epochMillis(0))).toBeNull();
  });
});

describe('checkCron', () => {
  test.each([
    '0 3 * * *',
    '*/5 9-17 * * MON-FRI',
    '@daily',
    '0 0 L * *',
    '0 0 * * MON#1',
    '0 0 29 2 *',
  ])('takes %s', (cron) => {
    expect(checkCron(cron)).toEqual({ kind: 'valid' });
  });

  test.each([
    ['', 'is no cron expression of five fields'],
    ['* * * * * *', 'is no cron expression of five fields'],
    ['@reboot', 'is no cron expression of five fields'],
    ['2027-01-01T00:00:00', 'is no cron expression of five fields'],
    ['0 0 ? * *', 'is no cron expression of five fields'],
    [`0 0 * * ${'1,'.repeat(60)}1`, 'is no cron expression of five fields'],
    ['61 * * * *', 'is no cron expression'],
    ['a b c d e', 'is no cron expression'],
    ['0 0 30 2 *', 'never fires'],
    ['0 0 31 4,6 *', 'never fires'],
  ])('refuses %j', (cron, message) => {
    expect(checkCron(cron)).toMatchObject({ kind: 'invalid', message });
  });
});

describe('isTimezone', () => {
  test('knows the zones of the time zone database and nothing else', () => {
    const names = [
      'UTC',
      'Europe/Berlin',
      'America/Argentina/Buenos_Aires',
      'Mars/Base',
      '+02:00',
      '',
    ];
    expect(names.map(isTimezone)).toEqual([true, true, true, false, false, false]);
  });
});
