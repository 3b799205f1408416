/** Entry point of `tripoint`: this process, one command line, its exit code. */
import { createProcessHost } from './process-host.ts';
import { runCli } from './run-cli.ts';

process.exitCode = await runCli(process.argv.slice(2), createProcessHost());
