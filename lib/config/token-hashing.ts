/**
 * Heartbeat tokens in the file: hashes as they are, tokens in the clear only by way of a variable.
 *
 * A token that a variable holds is replaced by its hash before anything else looks at it, so that no
 * later message, log entry or snapshot can hold it.
 */
import { createHash } from 'node:crypto';
import { TOKEN_PATTERN } from './file-fields.ts';
import { CONFIG_LIMITS } from './limits.ts';
import type { Finding, Path } from './problem.ts';
import { entriesOf, valueAt } from './tree.ts';

/** SHA-256 of the UTF-8 text as 64 lower-case hex digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** Replaces each token at which `isReferenced` by its hash, in place. Returns what is wrong. */
export function hashTokens(
  value: unknown,
  isReferenced: (path: Path) => boolean,
): readonly Finding[] {
  const findings: Finding[] = [];
  const { tokenCharactersMin, tokenCharactersMax } = CONFIG_LIMITS;
  for (const path of tokenPaths(value)) {
    const token = valueAt(value, path);
    const list = valueAt(value, path.slice(0, -1));
    const plain = typeof token === 'string' && !TOKEN_PATTERN.test(token);
    if (plain && Array.isArray(list) && isReferenced(path)) {
      if (token.length < tokenCharactersMin || token.length > tokenCharactersMax) {
        findings.push({
          path,
          atKey: false,
          message: `the token in the variable must have ${tokenCharactersMin} to ${tokenCharactersMax} characters`,
          fix: 'run `tripoint token new` for one that cannot be guessed',
        });
      }
      list[Number(path.at(-1))] = `sha256:${sha256(token)}`;
    }
  }
  return findings;
}

function tokenPaths(value: unknown): readonly Path[] {
  return ['services', 'monitors'].flatMap((kind) =>
    entriesOf(valueAt(value, [kind])).flatMap(([service, body]) => [
      ...entriesOf(valueAt(body, ['sites'])).flatMap(([site]) =>
        listPaths(value, [kind, service, 'sites', site, 'tokens']),
      ),
      ...listPaths(value, [kind, service, 'provisioning', 'tokens']),
    ]),
  );
}

function listPaths(value: unknown, path: Path): readonly Path[] {
  const list = valueAt(value, path);
  const count = Array.isArray(list) ? list.length : 0;
  return Array.from({ length: count }, (_, position): Path => [...path, position]);
}
