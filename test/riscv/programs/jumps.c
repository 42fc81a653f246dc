/* setjmp and longjmp: out of loops and frames, with values, with floating-point registers, out of a signal handler. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

static jmp_buf outer, inner;
static sigjmp_buf from_handler;

#pragma GCC diagnostic ignored "-Winfinite-recursion"
__attribute__((noinline)) static void descend(int depth, int value) {
  if (depth == 0) longjmp(outer, value);
  if (depth > 0) descend(depth - 1, value);
}

static void values(void) {
  volatile int round = 0;
  int value = setjmp(outer);
  printf("value %d\n", value);
  if (round == 4) return;
  round++;
  descend(10 * round, round - 1);
}

static void nested(void) {
  volatile int steps = 0;
  if (setjmp(outer) == 0) {
    for (;;) {
      if (setjmp(inner) != 0) steps += 100;
      if (steps > 450) longjmp(outer, 1);
      steps++;
      longjmp(inner, 1);
    }
  }
  printf("nested %d\n", steps);
}

/* Saved registers of both kinds come back as they were at setjmp, if they were not changed since. */
static double keep(double a, double b, double c, long d, long e) {
  if (setjmp(outer) == 0) {
    double p = a + 1, q = b * p, r = c - q; /* likely in the registers that were saved */
    if (p * q * r != 0) descend(5, 1);
  }
  return a * 1e6 + b * 1e3 + c + (double)(d * e);
}

static void on_signal(int number) { siglongjmp(from_handler, number); }

static void handlers(void) {
  signal(SIGUSR1, on_signal);
  volatile int times = 0;
  int number = sigsetjmp(from_handler, 1);
  if (number != 0) printf("handler left with %s\n", number == SIGUSR1 ? "SIGUSR1" : "another signal");
  if (times++ < 3) raise(SIGUSR1);
  sigset_t mask;
  sigprocmask(SIG_SETMASK, NULL, &mask);
  printf("blocked afterwards: %d\n", sigismember(&mask, SIGUSR1));

  // Without the mask the signal stays blocked, as if the handler still ran.
  if (sigsetjmp(from_handler, 0) == 0) raise(SIGUSR1);
  sigprocmask(SIG_SETMASK, NULL, &mask);
  printf("blocked afterwards, mask not saved: %d\n", sigismember(&mask, SIGUSR1));
}

int main(void) {
  values();
  nested();
  printf("kept %.3f\n", keep(1.5, 2.25, 3.125, 7, 11));
  handlers();
  return 0;
}
