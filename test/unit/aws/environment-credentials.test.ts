import { expect, test } from 'vitest';
import { credentialsOf, defaultProvider } from '../../../lib/aws/environment-credentials.ts';

const KEY = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'secret' };

test('takes the credentials of the role from the environment', () => {
  expect(credentialsOf({ ...KEY, AWS_SESSION_TOKEN: 'token' })).toEqual({
    accessKeyId: 'AKIA',
    secretAccessKey: 'secret',
    sessionToken: 'token',
  });
  expect(credentialsOf(KEY)).toEqual({ accessKeyId: 'AKIA', secretAccessKey: 'secret' });
});

test.each([{}, { AWS_ACCESS_KEY_ID: 'AKIA' }, { ...KEY, AWS_SECRET_ACCESS_KEY: '' }])(
  'says so, in the way of the SDK, when there are none: %j',
  (variables) => {
    expect(() => credentialsOf(variables)).toThrow(
      expect.objectContaining({ name: 'CredentialsProviderError' }),
    );
  },
);

test('is a provider as the SDK calls it, over the environment of this process', async () => {
  const provided = await defaultProvider()().catch(({ name }: Error) => name);
  const own = attempt(() => credentialsOf(process.env));
  expect(provided).toEqual(own);
});

function attempt<Value>(work: () => Value): Value | string {
  try {
    return work();
  } catch (thrown) {
    return (thrown as Error).name;
  }
}
