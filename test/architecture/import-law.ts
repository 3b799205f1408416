/**
 * The import law without any tool: reads import lines and holds them against the table.
 *
 * dependency-cruiser enforces the same table on the resolved graph. This reader has no dependency,
 * so the law holds also on the day on which that tool does not understand a new compiler.
 */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

export interface Part {
  readonly name: string;
  readonly files: string;
  readonly imports: readonly string[];
  readonly types: readonly string[];
  readonly packages: readonly string[];
  readonly builtins: boolean;
  readonly instead: string;
}

interface ImportLine {
  readonly specifier: string;
  /** Erased whole. `import { type A }` is not: it leaves an import for its side effects. */
  readonly isTypeOnly: boolean;
}

export const LAW: readonly Part[] = JSON.parse(
  readFileSync(new URL('import-law.json', import.meta.url), 'utf8'),
).parts;

const ROOMS = /^(lib|functions|infra|test)\//;
const COMMENTS = /^\s*\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;
const STATIC =
  /(?:^|[\n;])\s*(?:import|export)(\s+type(?!\s*[,=]|\s+from\b))?([^'"`;]*?\bfrom\s*|\s*)['"]([^'"\n]+)['"]/g;
const DYNAMIC = /\bimport\(\s*['"]([^'"\n]+)['"]/g;

/** One sentence for each import of `source`, the text of the file `path`, that breaks the law. */
export function findViolations(path: string, source: string): readonly string[] {
  const part = LAW.find(({ files }) => new RegExp(files).test(path));
  if (part === undefined) {
    return [`${path} belongs to no part of the house: see test/architecture/import-law.json`];
  }
  return readImports(source)
    .filter((line) => !isAllowed(part, path, line))
    .map(({ specifier }) => `${path} imports ${specifier}. ${part.instead}`);
}

export function readImports(source: string): readonly ImportLine[] {
  const code = source.replaceAll(COMMENTS, '');
  return [
    ...[...code.matchAll(STATIC)].map(([, type, , specifier = '']) => {
      return { specifier, isTypeOnly: type !== undefined };
    }),
    ...[...code.matchAll(DYNAMIC)].map(([, specifier = '']) => ({ specifier, isTypeOnly: false })),
  ];
}

function isAllowed(part: Part, path: string, { specifier, isTypeOnly }: ImportLine): boolean {
  if (specifier.startsWith('node:')) {
    return part.builtins;
  }
  if (!specifier.startsWith('.')) {
    return part.packages.some((name) => isPackage(name, specifier));
  }
  const target = posix.join(posix.dirname(path), specifier);
  const allowed = isTypeOnly ? [...part.imports, ...part.types] : part.imports;
  return !ROOMS.test(target) || allowed.some((pattern) => new RegExp(pattern).test(target));
}

function isPackage(name: string, specifier: string): boolean {
  return name.endsWith('*')
    ? specifier.startsWith(name.slice(0, -1))
    : specifier === name || specifier.startsWith(`${name}/`);
}
