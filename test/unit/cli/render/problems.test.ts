import { describe, expect, test } from 'vitest';
import {
  renderFailure,
  renderFileProblems,
  renderProblem,
} from '../../../../lib/cli/render/problems.ts';
import { PLAIN } from '../../../../lib/cli/render/style.ts';
import { problemJson } from '../fixtures.ts';

describe('problems', () => {
  test('of a file begin with a place that editors can open', () => {
    const problem = {
      path: 'services.a.primary',
      line: 5,
      column: 3,
      message: 'is missing',
      fix: 'write it',
    };
    expect(renderFileProblems('tripoint.yaml', [problem, { ...problem, path: '' }], PLAIN)).toEqual(
      [
        'tripoint.yaml:5:3  services.a.primary: is missing',
        '  write it',
        'tripoint.yaml:5:3  is missing',
        '  write it',
      ],
    );
  });

  test('of the API show the code, the fix and the command id', () => {
    const problem = problemJson({
      command: 'key:cli-1',
      errors: [{ path: 'policies[0]', message: 'bad', fix: 'better' }],
    });
    expect(renderProblem(problem, PLAIN)).toEqual([
      '✖ hold-down: the last run ended too recently',
      '  policies[0]: bad; better',
      '  Wait, or ask a person.',
      '  command id: key:cli-1',
    ]);
  });

  test('of a broken set-up keep their lines', () => {
    const failure = { code: 'config-invalid', message: 'problems:\n  a\n  b', hint: 'Correct it.' };
    expect(renderFailure(failure, PLAIN)).toEqual([
      '✖ config-invalid: problems:',
      '  a',
      '  b',
      '  Correct it.',
    ]);
  });
});
