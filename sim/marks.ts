/** The checks of a test suite that a trace marks, and how they did. */

/** How the marked checks of a test suite did. */
export interface CheckCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Name of the first check that failed. */
  readonly firstFailed: string | undefined;
}

type Counts = 'always' | 'ifHeld' | 'never';

/** Counts the checks of a suite: one fails if a program could notice a failure between its mark and the next. */
export class MarkCounter {
  private current: { readonly name: string; readonly counts: Counts; readonly failuresBefore: number } | undefined;
  private passed = 0;
  private failed = 0;
  private skipped = 0;
  private firstFailed: string | undefined;

  begin(name: string, counts: Counts, failures: number): void {
    this.close(failures);
    this.current = { name, counts, failuresBefore: failures };
  }

  end(failures: number): CheckCounts | undefined {
    this.close(failures);
    const total = this.passed + this.failed + this.skipped;
    return total === 0 ? undefined : { passed: this.passed, failed: this.failed, skipped: this.skipped, firstFailed: this.firstFailed };
  }

  private close(failures: number): void {
    const check = this.current;
    if (check === undefined) return;
    const hasFailed = failures > check.failuresBefore;
    if (check.counts === 'never' || (check.counts === 'ifHeld' && hasFailed)) this.skipped++;
    else if (hasFailed) {
      this.failed++;
      this.firstFailed ??= check.name;
    } else this.passed++;
    this.current = undefined;
  }
}
