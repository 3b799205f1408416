import { test } from 'vitest';
import { invoke, startLiveApi } from '../../support/command-line.ts';

test('explore', async () => {
  const api = await startLiveApi();
  const show = async (...words: string[]) => { const t=performance.now(); const r = await invoke([...words, ...api.options]); console.log('$', words.join(' '), '→', r.exitCode, Math.round(performance.now()-t)+'ms\n' + r.output + '--\n' + r.messages); };
  await api.find('us-east-1', 'healthy');
  await api.find('us-west-2', 'healthy');
  await show('status');
  await show('services');
  await show('log');
  await show('runs');
  await show('failover', 'checkout', '--reason', 'test', '--dry-run');
  await show('failover', 'checkout', '--reason', 'test');
  await show('failover', 'checkout', '--reason', 'test', '--yes');
  await show('status');
  await show('note', 'checkout', 'hello');
  await show('apply', 'docs/examples/tripoint.yaml', '--dry-run');
  await show('apply', 'docs/examples/tripoint.yaml', '--json');
  await show('failback', 'checkout', '--reason', 'x', '--yes', '--json');
  await show('runs', '--json');
  await api.close();
});
