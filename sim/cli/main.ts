#!/usr/bin/env node
/**
 * The process around the command line: streams, signals, exit code.
 *
 * Ctrl-C asks the running command to stop, which it does within a moment; one that waits for input is ended. A reader
 * that goes away (`| head`) ends the process quietly.
 */
import { EXIT } from './exit-code.ts';
import { runCommandLine } from './program.ts';
import { Terminal } from './terminal.ts';

/** How long a command may take to hear Ctrl-C before the process ends without it. */
const GRACE_MS = 1000;

const interruption = new AbortController();
process.once('SIGINT', () => {
  interruption.abort();
  setTimeout(() => {
    process.stderr.write('faultline: interrupted\n');
    process.exit(EXIT.interrupted);
  }, GRACE_MS).unref();
});
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.held);
});

const terminal = new Terminal(process.stdout, process.stderr, interruption.signal);
process.exitCode = await runCommandLine(process.argv.slice(2), terminal, process.env['FAULTLINE_DEBUG'] === '1');
// Standard input may still be open, as when a limit ended the run.
if (process.argv.includes('-')) process.stdin.destroy();
