/** What is wrong, and what to do about it: for files, for answers of the API, for broken set-ups. */
import type { Silence } from '../../api/client.ts';
import type { ProblemJson } from '../../api/schemas.ts';
import type { Problem } from '../../config/problem.ts';
import type { Style } from './style.ts';

/** `file:line:column`, which editors and terminals turn into links. */
export function renderFileProblems(
  file: string,
  problems: readonly Problem[],
  style: Style,
): readonly string[] {
  return problems.flatMap(({ path, line, column, message, fix }) => [
    `${style(`${file}:${line}:${column}`, 'strong')}  ${style(path === '' ? '' : `${path}: `, 'plain')}${style(message, 'bad')}`,
    `  ${style(fix, 'plain')}`,
  ]);
}

export function renderProblem(problem: ProblemJson, style: Style): readonly string[] {
  return [
    `${style(`✖ ${problem.code}`, 'bad')}: ${style(problem.detail, 'plain')}`,
    ...(problem.errors ?? []).map(
      ({ path, message, fix }) => `  ${style(`${path}: ${message}; ${fix}`, 'plain')}`,
    ),
    `  ${style(problem.hint, 'plain')}`,
    ...(problem.command === undefined ? [] : [`  command id: ${style(problem.command, 'strong')}`]),
  ];
}

/** Which regions were silent, and why. */
export function describeSilences(silences: readonly Silence[]): string {
  const causes = silences.map(({ endpoint, cause }) => `${endpoint}: ${cause}`);
  return ['no region answers', ...causes].join('\n  ');
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export function renderFailure({ code, message, hint }: Failure, style: Style): readonly string[] {
  const [first = '', ...rest] = message.split('\n');
  return [
    `${style(`✖ ${code}`, 'bad')}: ${style(first, 'plain')}`,
    ...rest.map((line) => style(line, 'plain')),
    ...(hint === '' ? [] : [`  ${style(hint, 'plain')}`]),
  ];
}
