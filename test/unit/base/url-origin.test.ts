import { expect, test } from 'vitest';
import { urlOrigin } from '../../../lib/base/url-origin.ts';

test.each([
  ['https://hooks.example.test:8443/services/T0/KEY?key=abc#x', 'https://hooks.example.test:8443'],
  ['HTTP://Host.Test\\KEY', 'http://host.test'],
  ['http://ann:KEY@host.test?KEY', 'http://host.test'],
  ['http://a@KEY@[::1]:80/KEY', 'http://[::1]:80'],
  ['KEY of something', 'a URL'],
  ['', 'a URL'],
])('of %s only %s is told', (url, origin) => {
  expect(urlOrigin(url)).toBe(origin);
});
