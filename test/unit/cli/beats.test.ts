import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../../lib/cli/exit-codes.ts';
import { invoke, type LiveApi, startLiveApi } from '../../support/command-line.ts';

describe('tripoint beats', () => {
  let api: LiveApi;

  beforeAll(async () => {
    api = await startLiveApi();
    for (let beats = 0; beats < 5; beats += 1) {
      await api.fixture.beat('us-east-1');
      await api.fixture.clock.advance(1000);
    }
  });
  afterAll(() => api.close());

  test('prints lines that replay reads', async () => {
    const { exitCode, output } = await invoke(['beats', 'checkout', 'us-east-1', ...api.options]);
    expect(exitCode).toBe(EXIT.ok);
    const lines = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.length).toBeGreaterThanOrEqual(2);
    expect(lines[0]).toMatchObject({
      service: 'checkout',
      site: 'us-east-1',
      observer: 'us-east-1',
    });
    const instants = lines.map(({ arrivedAt }) => arrivedAt);
    expect(instants).toEqual(instants.toSorted((left, right) => left - right));
    const file = join(api.dir, 'beats.jsonl');
    writeFileSync(file, output);
    const replayed = await invoke(['replay', file, '--crash-at', 'end', '--json']);
    expect(JSON.parse(replayed.output).targets[0]).toMatchObject({ target: 'checkout/us-east-1' });
  });

  test('passes on that there is no such site', async () => {
    const { exitCode, output } = await invoke([
      'beats',
      'checkout',
      'mars',
      ...api.options,
      '--json',
    ]);
    expect(exitCode).not.toBe(EXIT.ok);
    expect(JSON.parse(output).error.code).toBe('unknown-site');
  });
});
