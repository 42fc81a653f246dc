/* Signals: handlers, what they are told, masks, waiting, timers, nesting, alternative stacks, what survives a handler. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t count, last, alarms;
static volatile int depth, deepest;
static char alternative[65536];

static void noted(int number) {
  count++;
  last = number;
}

static siginfo_t told;
static volatile int has_context;

static void informed(int number, siginfo_t *info, void *context) {
  told = *info;
  has_context = context != NULL && ((ucontext_t *)context)->uc_mcontext.__gregs[2] != 0; /* the stack pointer */
  noted(number);
}

static void nesting(int number) {
  depth++;
  if (depth > deepest) deepest = depth;
  if (number == SIGUSR1 && depth == 1 && count == 0) raise(SIGUSR2);
  if (number == SIGUSR2 && depth == 2) raise(SIGUSR1); /* blocked until the outer one returns */
  depth--;
  count++;
}

static void on_alternative(int number) {
  char here;
  printf("signal %d on the other stack: %d\n", number, &here >= alternative && &here < alternative + sizeof alternative);
}

static void on_alarm(int number) {
  (void)number;
  alarms++;
}

static void install(int number, void (*handler)(int), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(number, &action, NULL);
}

static void simple(void) {
  install(SIGUSR1, noted, 0);
  raise(SIGUSR1);
  kill(getpid(), SIGUSR1);
  printf("simple %d %d\n", count, last);
  signal(SIGUSR1, SIG_IGN);
  raise(SIGUSR1);
  printf("ignored %d\n", count);
  install(SIGUSR2, noted, SA_RESETHAND);
  raise(SIGUSR2);
  struct sigaction now;
  sigaction(SIGUSR2, NULL, &now);
  printf("reset %d %d\n", count, now.sa_handler == SIG_DFL);
}

static void information(void) {
  struct sigaction action;
  sigset_t blocked, none;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = informed;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGUSR1, &action, NULL);
  kill(getpid(), SIGUSR1);
  printf("informed: %d, from myself %d, by kill %d, context %d\n", told.si_signo == SIGUSR1, told.si_pid == getpid(), told.si_code == SI_USER, has_context);

  sigaction(SIGCHLD, &action, NULL);
  sigemptyset(&none);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGCHLD);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) _exit(77);
  sigsuspend(&none);
  printf("a child: %d, it %d, exited %d, with %d\n", told.si_signo == SIGCHLD, told.si_pid == child, told.si_code == CLD_EXITED, told.si_status);
  waitpid(child, NULL, 0);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGCHLD, SIG_DFL);
}

static void masks(void) {
  sigset_t both, before, pending;
  install(SIGUSR1, noted, 0);
  install(SIGUSR2, noted, 0);
  sigemptyset(&both);
  sigaddset(&both, SIGUSR1);
  sigaddset(&both, SIGUSR2);
  sigprocmask(SIG_BLOCK, &both, &before);
  count = 0;
  raise(SIGUSR1);
  raise(SIGUSR1);
  raise(SIGUSR2);
  sigpending(&pending);
  printf("blocked: %d handled, pending %d %d %d\n", count, sigismember(&pending, SIGUSR1), sigismember(&pending, SIGUSR2), sigismember(&pending, SIGHUP));
  sigprocmask(SIG_SETMASK, &before, NULL);
  sigpending(&pending);
  printf("unblocked: %d handled, pending %d\n", count, sigismember(&pending, SIGUSR1));
  printf("bad arguments: %d %d\n", sigprocmask(99, &both, NULL), errno == EINVAL);
  printf("no handler for SIGKILL: %d %d\n", signal(SIGKILL, noted) == SIG_ERR, errno == EINVAL);
}

static void waiting(void) {
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &all, NULL);
  install(SIGUSR1, noted, 0);
  count = 0;
  pid_t child = fork();
  if (child == 0) {
    kill(getppid(), SIGUSR1);
    _exit(0);
  }
  sigdelset(&all, SIGUSR1);
  int result = sigsuspend(&all);
  printf("sigsuspend: %d %d, %d handled\n", result, errno == EINTR, count);
  sigprocmask(SIG_SETMASK, &none, NULL);
  waitpid(child, NULL, 0);
}

static void timers(void) {
  install(SIGALRM, on_alarm, 0);
  alarm(1);
  int left = (int)alarm(100);
  printf("alarm had %d s left\n", left);
  alarm(1);
  int result = pause();
  printf("pause: %d %d, %d alarms\n", result, errno == EINTR, alarms);
  struct itimerval interval = {{0, 10000}, {0, 10000}}, off = {{0, 0}, {0, 0}};
  alarms = 0;
  setitimer(ITIMER_REAL, &interval, NULL);
  while (alarms < 5) pause();
  setitimer(ITIMER_REAL, &off, NULL);
  printf("interval: %d alarms\n", alarms >= 5);
  struct itimerval once = {{0, 0}, {0, 20000}};
  setitimer(ITIMER_REAL, &once, NULL);
  unsigned rest = sleep(5);
  printf("sleep was interrupted: %d\n", rest >= 3 && rest <= 5);
}

static void nested(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = nesting;
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
  count = 0;
  raise(SIGUSR1);
  printf("nested: %d handled, %d deep\n", count, deepest);
}

static void other_stack(void) {
  stack_t stack = {.ss_sp = alternative, .ss_size = sizeof alternative};
  sigaltstack(&stack, NULL);
  install(SIGUSR1, on_alternative, SA_ONSTACK);
  raise(SIGUSR1);
  install(SIGUSR1, on_alternative, 0);
  raise(SIGUSR1);
}

static void disturb(int number) {
  volatile double x = number;
  for (int i = 0; i < 40; i++) x = x * 1.25 + i;
  asm volatile("fmv.d.x ft0, zero\n fmv.d.x ft11, zero\n fmv.d.x fs3, zero\n li t3, 99\n fsflags t3" : : : "ft0", "ft11", "fs3", "t3");
}

/* A signal sent with the bare system call, so that no library code stands between. */
static void registers(void) {
  install(SIGUSR2, disturb, 0);
  double a = 1.5, b = -2.25;
  long c, flags;
  register long pid asm("a0") = getpid();
  register long number asm("a1") = SIGUSR2;
  register long call asm("a7") = 129;
  asm volatile("fmv.d ft0, %[a]\n fmv.d ft11, %[b]\n li t3, 1234567\n fsflags zero\n ecall\n"
               "frflags %[flags]\n fmv.d %[a], ft0\n fmv.d %[b], ft11\n mv %[c], t3"
               : [a] "+f"(a), [b] "+f"(b), [c] "=&r"(c), [flags] "=&r"(flags), "+r"(pid)
               : "r"(number), "r"(call)
               : "memory", "ft0", "ft11", "t3");
  printf("registers %g %g %ld, flags %ld\n", a, b, c, flags);
}

static void fatal(void) {
  static const int signals[] = {SIGTERM, SIGKILL, SIGUSR1, SIGPIPE, SIGABRT};
  for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++) {
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
      signal(signals[i], SIG_DFL);
      kill(getpid(), signals[i]);
      _exit(1);
    }
    waitpid(child, &status, 0);
    printf("fatal: by a signal %d, which is the one %d\n", WIFSIGNALED(status), WTERMSIG(status) == signals[i]);
  }
}

int main(void) {
  simple();
  information();
  masks();
  waiting();
  timers();
  nested();
  other_stack();
  registers();
  fatal();
  return 0;
}
