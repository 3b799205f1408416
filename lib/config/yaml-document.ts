/**
 * A YAML text as a document that remembers where each key and value stands.
 *
 * References are expanded in its scalars here, before anything is validated, so that positions stay
 * those of the text that the reader sees.
 */
import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  visit,
  type YAMLError,
} from 'yaml';
import { describeError } from '../base/errors.ts';
import { expandReferences, type Variables } from './expansion.ts';
import { CONFIG_LIMITS } from './limits.ts';
import { type Finding, formatPath, type Path, type Problem } from './problem.ts';

export interface YamlText {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  /** What the YAML parser itself complains of. */
  readonly problems: readonly Problem[];
  /** Whether the document is whole enough to look into. */
  readonly readable: boolean;
}

export function readYaml(text: string): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const errors = [...document.errors, ...document.warnings];
  return {
    document,
    lines,
    problems: errors.map((error) => syntaxProblem(error, lines)),
    readable: errors.every(({ code }) => code === 'DUPLICATE_KEY'),
  };
}

function syntaxProblem(error: YAMLError, lines: LineCounter): Problem {
  const { line, col } = lines.linePos(error.pos[0]);
  const fix = SYNTAX_FIXES[error.code] ?? 'correct the YAML here; `key: value`, spaces, no tabs';
  return { path: '', line, column: col, message: `not valid YAML: ${error.message}`, fix };
}

const SYNTAX_FIXES: { readonly [code: string]: string } = {
  DUPLICATE_KEY: 'remove or rename one of the two keys',
  MULTIPLE_DOCS: 'keep one document in the file: remove the line ---',
  TAB_AS_INDENT: 'indent with spaces',
  TAG_RESOLVE_FAILED: 'remove the tag (the word that begins with !)',
};

export interface Expanded {
  readonly findings: readonly (Omit<Finding, 'path' | 'atKey'> & { readonly offset: number })[];
  /** Scalars whose text came from a variable. */
  readonly referenced: ReadonlySet<unknown>;
}

/** Replaces `${VARIABLE}` in every value of the document, in place. Keys are left alone. */
export function expandDocument(document: Document.Parsed, variables: Variables): Expanded {
  const findings: Expanded['findings'][number][] = [];
  const referenced = new Set<unknown>();
  visit(document, {
    Scalar(position, scalar) {
      if (position === 'key' || typeof scalar.value !== 'string') {
        return;
      }
      const expansion = expandReferences(scalar.value, variables);
      const offset = scalar.range?.[0] ?? 0;
      if (expansion.kind === 'missing') {
        const names = expansion.names.join(', ');
        findings.push({
          offset,
          message: `environment variable ${names} is not set`,
          fix: `set ${names}, or write $$ for a dollar sign`,
        });
      } else if (expansion.kind === 'malformed') {
        findings.push({
          offset,
          message: `${expansion.reference} is not a reference`,
          fix: `write \${NAME} with letters, digits and _, or $$ for a dollar sign`,
        });
      } else if (expansion.text !== scalar.value || expansion.referenced) {
        scalar.value = expansion.referenced ? typed(scalar, expansion.text) : expansion.text;
        referenced.add(scalar);
      }
    },
  });
  return { findings, referenced };
}

/** An unquoted value is typed as YAML would type it: `${COUNT}` may be a number. */
function typed({ type }: Scalar, text: string): string | number | boolean {
  if (type !== 'PLAIN') {
    return text;
  }
  if (text === 'true' || text === 'false') {
    return text === 'true';
  }
  return /^-?(0|[1-9]\d{0,14})(\.\d{1,14})?$/.test(text) ? Number(text) : text;
}

/** The document as plain values; a sentence when it cannot be unfolded (an alias bomb). */
export function plainValue(document: Document.Parsed): { value: unknown } | { failure: string } {
  try {
    return { value: document.toJS({ maxAliasCount: CONFIG_LIMITS.sitesMax * 100 }) };
  } catch (thrown) {
    return { failure: describeError(thrown) };
  }
}

/** The node at a path, with aliases followed; null where nothing stands. */
function nodeAt(document: Document.Parsed, path: Path): Node | null {
  return path.reduce<Node | null>((node, key) => {
    const target = follow(document, node);
    if (isMap(target)) {
      const value = pairAt(target, key)?.value;
      return value === undefined ? null : (value as Node | null);
    }
    return isSeq(target) && typeof key === 'number' ? ((target.items[key] as Node) ?? null) : null;
  }, document.contents);
}

/** The node that gives the value at a path: an alias is followed to its anchor. */
export function sourceAt({ document }: YamlText, path: Path): Node | null {
  return follow(document, nodeAt(document, path));
}

function follow(document: Document.Parsed, node: Node | null): Node | null {
  return isAlias(node) ? (node.resolve(document) ?? null) : node;
}

function pairAt(map: { readonly items: readonly unknown[] }, key: string | number) {
  return map.items.find(
    (item): item is Pair<Scalar, unknown> =>
      isPair(item) && isScalar(item.key) && String(item.key.value) === String(key),
  );
}

/** Where a finding stands: its value, else its key, else the nearest thing around it. */
export function positioned({ document, lines }: YamlText, finding: Finding): Problem {
  const { path, atKey, message, fix } = finding;
  const { line, col } = lines.linePos(offsetOf(document, path, atKey));
  return { path: formatPath(path), line, column: col, message, fix };
}

function offsetOf(document: Document.Parsed, path: Path, atKey: boolean): number {
  const node = nodeAt(document, path);
  const value = node?.range?.[0];
  const isEmpty = node?.range !== undefined && node.range?.[0] === node.range?.[1];
  if (value !== undefined && !atKey && !isEmpty) {
    return value;
  }
  const last = path.at(-1);
  if (last === undefined) {
    return 0;
  }
  const parent = follow(document, nodeAt(document, path.slice(0, -1)));
  const key = isMap(parent) ? pairAt(parent, last)?.key.range?.[0] : undefined;
  return key ?? offsetOf(document, path.slice(0, -1), true);
}

/** A problem at a place in the text, where the path does not matter or is not known. */
export function problemAt(
  { lines }: YamlText,
  place: { offset: number; message: string; fix: string },
) {
  const { line, col } = lines.linePos(place.offset);
  return { path: '', line, column: col, message: place.message, fix: place.fix };
}
