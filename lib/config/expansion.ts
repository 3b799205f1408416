/**
 * `${VARIABLE}` references in values, as Gatus has them; `$$` stands for one dollar sign.
 *
 * Expansion works on parsed values, never on the text of the file: a variable can change a value,
 * it cannot add a key, a service or a comment. A lone `$` is left as it is.
 */

export type Expansion =
  | { readonly kind: 'expanded'; readonly text: string; readonly referenced: boolean }
  | { readonly kind: 'missing'; readonly names: readonly string[] }
  | { readonly kind: 'malformed'; readonly reference: string };

/** Names and values, as `process.env` has them. */
export interface Variables {
  readonly [name: string]: string | undefined;
}

const REFERENCE_PATTERN = /\$\$|\$\{([^}]*)\}?/g;
const NAME_PATTERN = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Expands once: a value that contains a reference itself is not looked into. Pure; total. */
export function expandReferences(text: string, variables: Variables): Expansion {
  const references = [...text.matchAll(REFERENCE_PATTERN)].filter(([match]) => match !== '$$');
  const malformed = references.find(
    ([match, name = '']) => !match.endsWith('}') || !NAME_PATTERN.test(name),
  );
  if (malformed !== undefined) {
    return { kind: 'malformed', reference: malformed[0] };
  }
  const lookUp = (name: string) => (Object.hasOwn(variables, name) ? variables[name] : undefined);
  const names = new Set(references.map(([, name = '']) => name));
  const missing = [...names].filter((name) => (lookUp(name) ?? '') === '');
  if (missing.length > 0) {
    return { kind: 'missing', names: missing };
  }
  const expanded = text.replace(REFERENCE_PATTERN, (match, name: string) =>
    match === '$$' ? '$' : (lookUp(name) ?? ''),
  );
  return { kind: 'expanded', text: expanded, referenced: references.length > 0 };
}
