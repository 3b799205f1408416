/** Why a file could not be read, for people: what is mistyped most has plain words. */
import { describeError } from '../base/errors.ts';

const WORDS: { readonly [code: string]: string | undefined } = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
};

export function fileFailure(path: string, cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return `${path} cannot be read: ${WORDS[code] ?? describeError(cause)}`;
}
