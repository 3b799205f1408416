/** What holds for every command: help, usage errors, completion, tokens, simulation. */
import { createHash } from 'node:crypto';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { EXIT } from '../../../lib/cli/exit-codes.ts';
import { createProgram } from '../../../lib/cli/program.ts';
import { invoke } from '../../support/command-line.ts';

/** Of every command, with what its help says of it. */
function everyOption() {
  const descendants = (command: Command): readonly Command[] =>
    command.commands.flatMap((child) => [child, ...descendants(child)]);
  return descendants(createProgram(() => Promise.resolve())).flatMap((command) =>
    command.options.map((option) => ({
      name: command.name(),
      option,
      words: command.createHelp().optionDescription(option),
    })),
  );
}

describe('help', () => {
  test('leads with examples and goes to standard output', async () => {
    const { exitCode, output, messages } = await invoke(['failover', '--help']);
    expect(exitCode).toBe(EXIT.ok);
    expect(output).toMatch(/^Examples:\n {2}tripoint failover checkout/);
    expect(output).toContain('Global Options:');
    expect(messages).toBe('');
  });

  test('says of each option that must be given that it is required, and only of those', () => {
    const options = everyOption();
    const told = options.filter(({ words }) => words.includes('(required)'));
    const needed = options.filter(({ option }) => option.mandatory);
    expect(told).toEqual(needed);
    const asking = new Set(needed.map(({ name }) => name));
    expect([...asking]).toEqual(expect.arrayContaining(['weights', 'approve', 'acknowledge']));
  });

  test('shows each default of a duration with its unit', () => {
    const durations = everyOption().filter(({ option }) => option.flags.includes('<duration>'));
    expect(durations.length).toBeGreaterThan(5);
    for (const { name, words } of durations) {
      expect(words, name).not.toMatch(/\(default: \d+\)/);
    }
  });

  test('tells the version', async () => {
    expect(await invoke(['--version'])).toMatchObject({
      exitCode: EXIT.ok,
      output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });
});

describe('a wrong command line', () => {
  test.each([
    [['statsu'], 'Did you mean status?'],
    [['status', '--wach'], 'Did you mean --watch?'],
    [['log', '--limit', '0'], 'Write a whole number from 1 to 500.'],
    [['log', '--limit', '1e2'], 'Write a whole number from 1 to 500.'],
    [['failover', 'checkout', '--reason', ' '], 'Write 1 to 500 characters.'],
    [
      ['failover', 'checkout', '--reason', 'x', '--timeout', '5'],
      'Write a duration such as 30s or 5m.',
    ],
    [['completion', 'powershell'], 'Allowed choices are bash, zsh, fish.'],
    [['local', 'kill'], "missing required argument 'name'"],
    [['note', 'checkout', 'a', 'b'], 'too many arguments'],
    [['services', '--endpoint', 'http://example.com'], 'endpoint-invalid'],
  ])('exits with 2 and says what is expected: %j', async (words, text) => {
    const { exitCode, output, messages } = await invoke(words);
    expect(exitCode).toBe(EXIT.usage);
    expect(messages).toContain(text);
    expect(output).toBe('');
  });

  test('is one JSON document with --json', async () => {
    const { exitCode, output } = await invoke(['log', '--limit', '0', '--json']);
    expect(exitCode).toBe(EXIT.usage);
    expect(JSON.parse(output)).toMatchObject({ error: { code: 'usage-invalidArgument' } });
  });

  test('that names no file says which, and what to do', async () => {
    const { exitCode, messages } = await invoke(['report', 'verify', '/nonexistent/report.json']);
    expect(exitCode).toBe(EXIT.error);
    expect(messages).toContain(
      '✖ report-unreadable: /nonexistent/report.json cannot be read: there is no such file',
    );
    expect(messages).toContain('Save a report with `tripoint reports <run> > report.json`');
    expect(messages).not.toContain('ENOENT');
  });

  test('exits with 2 where no control plane is known', async () => {
    const { exitCode, messages } = await invoke(['status', '--dir', '/nonexistent/tripoint']);
    expect(exitCode).toBe(EXIT.usage);
    expect(messages).toContain('✖ no-endpoint');
  });
});

test('silence of all regions is an error that names each', async () => {
  const words = ['status', '--endpoint', 'http://127.0.0.1:1', '--endpoint', 'http://127.0.0.1:2'];
  const { exitCode, messages } = await invoke(words);
  expect(exitCode).toBe(EXIT.error);
  expect(messages).toMatch(/no-region-answers/);
  expect(messages).toMatch(/127\.0\.0\.1:1: /);
  expect(messages).toMatch(/127\.0\.0\.1:2: /);
});

test('colour follows the environment and the flag', async () => {
  const words = ['validate', 'docs/examples/tripoint.yaml'];
  const variables = { FORCE_COLOR: '1' };
  expect((await invoke(words, { variables })).output).toContain('\u001b[32m● valid');
  expect((await invoke([...words, '--no-color'], { variables })).output).not.toContain('\u001b');
  expect(
    (await invoke(words, { variables: { ...variables, NO_COLOR: '1' } })).output,
  ).not.toContain('\u001b');
  expect((await invoke(words)).output).not.toContain('\u001b');
});

test('token new prints a token and the hash that the configuration takes', async () => {
  const { output } = await invoke(['token', 'new']);
  const [token = '', hash = ''] = output.trim().split('\n');
  expect(hash).toBe(`sha256:${createHash('sha256').update(token).digest('hex')}`);
});

test('completion knows every command', async () => {
  const { output } = await invoke(['completion', 'bash']);
  for (const command of createProgram(() => Promise.resolve()).commands) {
    expect(output).toContain(`"${command.name()}")`);
  }
});

test('simulate runs the seeds it names, alike each time', async () => {
  const words = ['simulate', '--first-seed', '7', '--seeds', '1', '--json'];
  const first = JSON.parse((await invoke(words)).output);
  const second = JSON.parse((await invoke(words)).output);
  expect(first).toMatchObject({ passed: true, firstSeed: 7, seeds: 1, violations: 0 });
  expect({ ...second, elapsedMs: 0 }).toEqual({ ...first, elapsedMs: 0 });
});
