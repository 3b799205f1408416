import { expect, test } from 'vitest';
import { parseProbeTarget } from '../../../lib/config/probe-target.ts';

test.each([
  ['http://h/x?y=1', { kind: 'http', isSecure: false, url: 'http://h/x?y=1' }],
  ['https://192.0.2.1:8443/', { kind: 'http', isSecure: true, url: 'https://192.0.2.1:8443/' }],
  ['tcp://db.example.com:5432', { kind: 'tcp', host: 'db.example.com', port: 5432 }],
  ['tls://[2001:db8::1]:443', { kind: 'tls', host: '2001:db8::1', port: 443 }],
  ['dns:a.example.com', { kind: 'dns', name: 'a.example.com', recordType: 'A', server: null }],
  [
    'DNS://192.0.2.53/A.example.com.?Type=txt',
    { kind: 'dns', name: 'a.example.com', recordType: 'TXT', server: '192.0.2.53' },
  ],
  [
    'dns://[2001:db8::53]:5353/a?type=CNAME',
    { kind: 'dns', name: 'a', recordType: 'CNAME', server: '[2001:db8::53]:5353' },
  ],
])('%s is understood', (text, target) => {
  expect(parseProbeTarget(text)).toEqual(target);
});

test.each([
  ...['', 'checkout', 'ftp://h/', 'http://user:secret@h/', 'http://h/#part', 'http://'],
  ...['tcp://h', 'tcp://h:0', 'tcp://h:99999', 'tcp://h:1/path', 'tcp://h:1?x', 'tcp://u@h:1'],
  ...['dns:', 'dns:?type=A', 'dns:a?type=MX', 'dns:a?class=IN', 'dns:a?type=A&type=A', 'dns:a b'],
  ...['dns://ns.example.com/a', 'dns://192.0.2.53/', `http://h/${'x'.repeat(3000)}`],
])('%s is refused', (text) => {
  expect(parseProbeTarget(text)).toBeNull();
});
