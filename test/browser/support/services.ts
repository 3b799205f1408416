/** Services beside the one of the demo: one with shares, one with leases and a drill, one that asks a person. */

const SHARES = { 'us-east-1': 70, 'us-west-2': 30 };
const NO_SHARES = { 'us-east-1': null, 'us-west-2': null };

/** To be written behind the services of the demo. */
export const MORE_SERVICES: string = [
  serviceText('catalog', { host: 31, own: 'strategy: active-active', weights: SHARES }),
  serviceText('billing', {
    host: 33,
    own: 'fencing: lease\n    drill: { to: us-west-2, duration: 30m }',
    weights: NO_SHARES,
  }),
  serviceText('orders', {
    host: 35,
    own: 'safety: { approval: manual }',
    weights: NO_SHARES,
  }),
].join('');

interface Shape {
  /** Last byte of the address of its first site. */
  readonly host: number;
  readonly own: string;
  readonly weights: { readonly [site: string]: number | null };
}

function serviceText(name: string, { host, own, weights }: Shape): string {
  const sites = Object.entries(weights).map(
    ([site, weight], place) => `      ${site}:
        address: 127.0.0.${host + place}
        probe: http://127.0.0.${host + place}:8101/healthz
        tokens: ['\${${name.toUpperCase()}_${place}_TOKEN}']
${weight === null ? '' : `        weight: ${weight}\n`}`,
  );
  return `  ${name}:
    dns: { name: ${name}.example.test, ttl: 1s }
    automatic: true
    primary: us-east-1
    detection: { interval: 1s, maxSilence: 8s }
    ${own}
    sites:
${sites.join('')}`;
}
