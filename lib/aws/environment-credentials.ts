/**
 * Stands in for the SDK's default credential chain in the bundled functions.
 *
 * Lambda puts the credentials of the role into the environment, and nothing else is ever tried: no
 * profile files, no single sign-on, no metadata service, whose code would be a tenth of each bundle
 * and whose timeouts would be found in an incident. The credentials of one process never change:
 * Lambda ends a process before they expire.
 */
import { processVariables } from '../config/environment.ts';
import type { Variables } from '../config/expansion.ts';

export interface EnvironmentCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Named as the SDK imports it. */
export function defaultProvider(): () => Promise<EnvironmentCredentials> {
  return async () => credentialsOf(processVariables());
}

/** @throws Error named `CredentialsProviderError`, as the SDK's own chain does. */
export function credentialsOf(variables: Variables): EnvironmentCredentials {
  const accessKeyId = variables['AWS_ACCESS_KEY_ID'] ?? '';
  const secretAccessKey = variables['AWS_SECRET_ACCESS_KEY'] ?? '';
  const sessionToken = variables['AWS_SESSION_TOKEN'] ?? '';
  if (accessKeyId === '' || secretAccessKey === '') {
    const error = new Error('the environment holds no AWS credentials');
    error.name = 'CredentialsProviderError';
    throw error;
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken === '' ? {} : { sessionToken }) };
}
