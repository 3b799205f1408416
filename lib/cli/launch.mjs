#!/usr/bin/env node
/**
 * The `tripoint` binary: runs `main.ts`, with the Node that the package brings when this one is old.
 *
 * The sources are TypeScript, which Node runs from version 24 on. A host may have an older one, so
 * the dev dependency `node` carries its own. The launcher then only passes things through: standard
 * streams are inherited, signals are handed on, and the exit code or signal of the child is its own.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 24;
const EXIT_ERROR = 1;
const EXIT_SIGNAL_BASE = 128;
const main = new URL('./main.ts', import.meta.url);

if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR_MIN) {
  await import(main.href);
} else {
  runWith(bundledNode());
}

function bundledNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json');
    return join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  } catch {
    const found = `this is Node ${process.versions.node}`;
    const root = fileURLToPath(new URL('../../', import.meta.url));
    fail(`Tripoint needs Node ${NODE_MAJOR_MIN} or newer, ${found}; run \`npm ci\` in ${root}`);
  }
}

function runWith(node) {
  const child = spawn(node, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: 'inherit' });
  const isTerminal = process.stdin.isTTY === true || process.stdout.isTTY === true;
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM', 'SIGQUIT']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child too; twice would mean "do not wait" to it.
      if (signal === 'SIGTERM' || !isTerminal) {
        child.kill(signal);
      }
    });
  }
  child.on('error', (cause) => fail(`${node} cannot be started: ${cause.message}`));
  child.on('exit', (code, signal) => {
    if (signal !== null) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
      // Reached where the signal does not end this process.
      process.exit(EXIT_SIGNAL_BASE);
    }
    process.exit(code ?? EXIT_ERROR);
  });
}

function fail(message) {
  process.stderr.write(`tripoint: ${message}\n`);
  process.exit(EXIT_ERROR);
}
