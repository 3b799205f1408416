/**
 * `npm run explore [-- --scope small|standard|large] [--json]`: every state that the log's real code can
 * reach within the scopes, and the controls, which must be found out.
 *
 * Exit code 0: no violation, every kind of message in use, and every control caught.
 */
import { parseArgs } from 'node:util';
import { type Exploration, explore } from '../../lib/simulation/explorer.ts';
import { RULES } from '../../lib/simulation/explorer-scope.ts';
import { CONTROLS } from './explorer-controls.ts';
import { LARGE, type NamedScope, SMALL, STANDARD } from './explorer-scopes.ts';

/** 20 bytes a state, and the tables: well below a gigabyte. */
const STATES_MAX = 12_000_000;

/** A message that wrote nothing in any scope was not explored. */
const KINDS = ['campaign', 'vote', 'lead', 'propose', 'append', 'compact', 'install'];

const SCOPES: { readonly [name: string]: readonly NamedScope[] } = {
  small: SMALL,
  standard: STANDARD,
  large: LARGE,
};

const { values: options } = parseArgs({
  options: {
    scope: { type: 'string', default: 'standard' },
    json: { type: 'boolean', default: false },
  },
});

function say(line: string): void {
  const stream = options.json ? process.stderr : process.stdout;
  stream.write(`${line}\n`);
}

function exploreScope({ name, scope }: NamedScope) {
  const startedAt = performance.now();
  const result: Exploration = explore({ rules: RULES, scope, statesMax: STATES_MAX });
  const seconds = Number(((performance.now() - startedAt) / 1000).toFixed(1));
  const { states, transitions, depth, servers, writes, violation } = result;
  const kinds = Object.keys(writes).join(' ');
  say(
    `${name}: ${states} states, ${transitions} transitions, depth ${depth}, ${seconds} s: ${kinds}`,
  );
  if (violation !== null) {
    say(`VIOLATION ${violation.code}\n  ${violation.trace.join('\n  ')}`);
  }
  return { name, scope, states, transitions, depth, servers, writes, seconds, violation };
}

function exploreControls() {
  return CONTROLS.map(({ name, rules, scope }) => {
    const { states, violation } = explore({ rules, scope, statesMax: STATES_MAX });
    say(
      `control, ${name}: ${violation === null ? 'NOT CAUGHT' : violation.code}, ${states} states`,
    );
    const trace = violation?.trace ?? [];
    return { name, caught: violation !== null, code: violation?.code ?? null, states, trace };
  });
}

function main(): number {
  const chosen = SCOPES[options.scope];
  if (chosen === undefined) {
    process.stderr.write(`--scope is one of ${Object.keys(SCOPES).join(', ')}\n`);
    return 2;
  }
  const explored = chosen.map(exploreScope);
  const controls = exploreControls();
  const written = new Set(explored.flatMap(({ writes }) => Object.keys(writes)));
  const missing = KINDS.filter((kind) => !written.has(kind));
  const violations = explored.filter(({ violation }) => violation !== null).length;
  const figures = {
    states: explored.reduce((sum, { states }) => sum + states, 0),
    transitions: explored.reduce((sum, { transitions }) => sum + transitions, 0),
    depth: Math.max(...explored.map(({ depth }) => depth)),
    violations,
    missing,
    scope: Object.fromEntries(explored.map(({ name, ...rest }) => [name, rest])),
    controls,
    memoryMegabytesMax: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  say(`${figures.states} states, ${figures.transitions} transitions, ${violations} violations`);
  if (options.json) {
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  }
  const isProven = violations === 0 && controls.every(({ caught }) => caught);
  return isProven && missing.length === 0 ? 0 : 1;
}

process.exitCode = main();
