/**
 * House rules that no linter knows, as functions from a file to the faults in it.
 *
 * Each fault names the file and says what to do instead, so that whoever meets it need not look
 * for the rule. The numbers refer to docs/style.md.
 */
import { posix } from 'node:path';
import type { SourceFile } from './source-files.ts';

type Rule = (file: SourceFile) => readonly string[];

const FILE_LINES_MAX = 400;
export const FUNCTION_FILE_LINES_MAX = 25;

const PURE_ROOM = /^lib\/(base|detection|consensus|recovery|backup|resilience)\//;
const ENVIRONMENT_READERS = ['lib/config/environment.ts', 'lib/cli/launch.mjs'];

interface BannedWord {
  readonly pattern: RegExp;
  readonly instead: string;
}

/** Rule 22 (names), rule 43 (no promises in code), and what switches the compiler off. */
const BANNED: readonly BannedWord[] = [
  { pattern: /helpers?/i, instead: 'name it after what it does' },
  { pattern: /\butils?\b|[a-z]Utils?\b/, instead: 'name it after what it does' },
  {
    pattern: /(?<!Secrets |Systems |Session |secrets)manager/i,
    instead: 'name the thing it keeps (store, registry, supervisor)',
  },
  { pattern: /\bFIXME\b|\bTODO\b|\bXXX\b/, instead: 'do it now, or open an issue' },
  { pattern: /\bas any\b|<any>/, instead: 'use unknown and narrow it' },
  {
    pattern: /@ts-(ignore|expect-error|nocheck)/,
    instead: 'mend the type, or describe the package in a .d.ts file',
  },
];

/** An import from the platform or from a package, whose names are not ours to choose. */
const FOREIGN_NAMES = /\bfrom '(?:[^.']|[^']*node_modules\/)/;

export const bannedWords: Rule = ({ path, text }) => {
  const inPath = BANNED.filter(({ pattern }) => pattern.test(path)).map(
    ({ instead }) => `${path}: banned word in the file name; ${instead}`,
  );
  const inText = text
    .split('\n')
    .flatMap((line, position) =>
      BANNED.filter(({ pattern }) => pattern.test(line) && !FOREIGN_NAMES.test(line)).map(
        ({ pattern, instead }) =>
          `${path}:${position + 1}: ${JSON.stringify(line.match(pattern)?.[0])}; ${instead}`,
      ),
    );
  return [...inPath, ...inText];
};

/** Rule 19. */
export const fileLength: Rule = ({ path, text }) => {
  const lines = text.trimEnd().split('\n').length;
  const max = path.startsWith('functions/') ? FUNCTION_FILE_LINES_MAX : FILE_LINES_MAX;
  return lines > max ? [`${path}: ${lines} lines, at most ${max}; split it by concept`] : [];
};

/** Rule 33. A `#!` line may stand above. */
export const opensWithComment: Rule = ({ path, text }) =>
  /^(#!.*\n)?\/\*\*/.test(text)
    ? []
    : [`${path}: begin with a doc comment: what it is, the intuition, the invariant, the source`];

/** Rules 1 and 4. */
export const ambientTimeAndChance: Rule = ({ path, text }) => {
  const ambient =
    /\bMath\.random\b|\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b|\bsetTimeout\b/;
  const found = PURE_ROOM.test(path) ? withoutComments(text).match(ambient) : null;
  return found === null ? [] : [`${path}: ${found[0]}; take now and random as arguments`];
};

/** Rule 30. */
export const ambientEnvironment: Rule = ({ path, text }) =>
  !ENVIRONMENT_READERS.includes(path) && /\bprocess\.env\b/.test(withoutComments(text))
    ? [`${path}: process.env; read it in lib/config/environment.ts and pass the value in`]
    : [];

/** Rule 20 of the linter's house: a rule may be switched off for a reason, never in silence. */
export const suppressionsHaveReasons: Rule = ({ path, text }) =>
  text
    .split('\n')
    .filter((line) => /biome-ignore/.test(line) && !/biome-ignore\S* [\w/]+: \S.{7,}/.test(line))
    .map((line) => `${path}: ${line.trim()}; say why`);

export function countSuppressions({ text }: SourceFile): number {
  return text.match(/biome-ignore/g)?.length ?? 0;
}

/** Documents are read on other machines: no path of ours, no line numbers (rule 36). */
export function machinePaths(root: string): Rule {
  const home = /(?<![\w.:/])\/(home|Users|root|private)\/[\w.-]+/;
  const windows = /\b[A-Z]:\\\w/;
  return ({ path, text }) => {
    const own = text.includes(root.replace(/\/$/, ''));
    const found = own ? root : (text.match(home)?.[0] ?? text.match(windows)?.[0]);
    return found === undefined
      ? []
      : [`${path}: ${found}; write the path from the root of the repository`];
  };
}

/** Relative links of a Markdown document must lead to something that exists. */
export function deadLinks(exists: (path: string) => boolean): Rule {
  return ({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target = '']) => posix.join(posix.dirname(path), target))
      .filter((target) => !exists(target))
      .map(
        (target) => `${path}: the link to ${target} leads nowhere; correct it or write the page`,
      );
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}
