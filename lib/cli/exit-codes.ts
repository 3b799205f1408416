/** Exit codes of every command. Scripts rely on them; `docs/cli.md` prints this table. */

export const EXIT = {
  ok: 0,
  error: 1,
  usage: 2,
  unhealthy: 3,
  unauthorised: 4,
  refused: 5,
  unknown: 6,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_MEANINGS: { readonly [name in keyof typeof EXIT]: string } = {
  ok: 'Done, or the answer was given.',
  error: 'Something failed: no region answers, the file is not valid, the run failed.',
  usage: 'The command line is wrong; or the command needs `--yes` and nobody can be asked.',
  unhealthy:
    'What was checked is not healthy, or misses an objective (`status`, `simulate --exit-code`).',
  unauthorised: 'No token was given, or it is not accepted.',
  refused: 'The control plane refused, with a reason code; or another command got in between.',
  unknown:
    'Nobody knows yet: the wait ended, or the answer was lost. The command or run may still go on.',
  interrupted: 'Ctrl-C. What was begun in the control plane goes on there.',
};
