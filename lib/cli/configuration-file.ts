/** Reads a configuration file for `validate` and `apply`, with the tokens that local mode made up. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../base/errors.ts';
import { type ParsedConfiguration, parseConfiguration } from '../config/parse.ts';
import { childOf, entriesOf } from '../config/tree.ts';
import { readJsonFile } from '../local/durable-file.ts';
import { fileFailure } from './file-failure.ts';
import type { Session } from './session.ts';

/** @throws AppError `config-unreadable`. */
export async function readConfigurationFile(
  session: Session,
  file: string,
): Promise<ParsedConfiguration> {
  const text = await readConfigurationText(file);
  const local = await localTokens(session.options.dir);
  return parseConfiguration(text, { ...local, ...session.host.variables });
}

/** @throws AppError `config-unreadable`. */
export function readConfigurationText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new AppError(`the configuration ${fileFailure(file, cause)}`, {
      code: 'config-unreadable',
      hint: 'Name a readable YAML file; docs/examples/tripoint.yaml is one to begin with.',
      retryable: false,
      cause,
    });
  });
}

/** Variables for which local mode made a token; none where it was never started. */
async function localTokens(dir: string): Promise<{ readonly [name: string]: string }> {
  const file = await readJsonFile(join(dir, 'cluster.json'));
  const tokens = file.kind === 'found' ? entriesOf(childOf(file.value, 'tokens')) : [];
  return Object.fromEntries(
    tokens.flatMap(([name, token]) => (typeof token === 'string' ? [[name, token]] : [])),
  );
}
