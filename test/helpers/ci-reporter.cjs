/**
 * mocha's spec report on the log, and the counts in the file that the reporter option `output` names: `passed failed skipped`.
 *
 * CommonJS, because mocha loads a reporter with `require`. The file is written at the end of a run: no file, no complete run.
 */
const { writeFileSync } = require('node:fs');
const { Runner, reporters } = require('mocha');

module.exports = class CiReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const { output } = options.reporterOptions;
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = runner.stats;
      writeFileSync(output, `${passes} ${failures} ${pending}\n`);
    });
  }
};
