/* Signals as a program sees them: frames, masks, restarting, the alternate stack, stops. What it prints depends on no clock. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static volatile int seen, code, on_stack, nested;
static char *alternate;
static sigjmp_buf back;
static void *volatile fault_address;

static void note(int signal, siginfo_t *info, void *context) {
  (void)context;
  seen = signal;
  code = info->si_code;
  char here;
  on_stack = &here >= alternate && &here < alternate + 65536;
}

static void handle(int signal, void (*action)(int, siginfo_t *, void *), int flags) {
  struct sigaction a = {0};
  a.sa_sigaction = action;
  a.sa_flags = SA_SIGINFO | flags;
  sigaction(signal, &a, 0);
}

static void skip_instruction(int signal, siginfo_t *info, void *context) {
  seen = signal;
  fault_address = info->si_addr;
  ucontext_t *uc = context;
  uc->uc_mcontext.__gregs[REG_PC] += 4;
}

static void jump(int signal) { seen = signal; siglongjmp(back, 1); }

static void nest(int signal) {
  nested++;
  if (nested == 1) raise(signal == SIGUSR1 ? SIGUSR2 : SIGUSR1);
  nested += 10;
}

static void floats(int signal) { (void)signal; volatile double x = 1; for (int i = 0; i < 40; i++) x = x * 1.5 + 0.25; }

int main(void) {
  alternate = malloc(65536);
  stack_t stack = {.ss_sp = alternate, .ss_size = 65536};
  printf("sigaltstack %d\n", sigaltstack(&stack, 0));

  handle(SIGUSR1, note, 0);
  kill(getpid(), SIGUSR1);
  printf("USR1 %d code %d alternate %d\n", seen, code, on_stack);
  handle(SIGUSR2, note, SA_ONSTACK);
  raise(SIGUSR2);
  printf("USR2 %d code %d alternate %d\n", seen, code, on_stack);

  sigset_t set, old, pending;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, &old);
  seen = 0;
  raise(SIGUSR1);
  raise(SIGUSR1);
  sigpending(&pending);
  printf("blocked: seen %d pending %d\n", seen, sigismember(&pending, SIGUSR1));
  sigprocmask(SIG_SETMASK, &old, 0);
  printf("unblocked: seen %d\n", seen);

  handle(SIGUSR1, note, SA_RESETHAND);
  raise(SIGUSR1);
  struct sigaction now;
  sigaction(SIGUSR1, 0, &now);
  printf("reset to default %d\n", now.sa_handler == SIG_DFL);

  struct sigaction n = {.sa_handler = nest};
  sigaction(SIGUSR1, &n, 0);
  sigaction(SIGUSR2, &n, 0);
  raise(SIGUSR1);
  printf("nested %d\n", nested);

  /* Registers survive a handler that uses them. */
  struct sigaction f = {.sa_handler = floats};
  sigaction(SIGUSR1, &f, 0);
  double a = 0.1, b = 0.2;
  for (int i = 0; i < 10; i++) {
    raise(SIGUSR1);
    a = a * 1.01 + b;
  }
  printf("floats %.17g\n", a);

  /* A fault, and going on behind it. */
  handle(SIGSEGV, skip_instruction, 0);
  asm volatile(".option push\n.option norvc\nld t0, 16(zero)\n.option pop" ::: "t0", "memory");
  printf("SEGV %d address %p\n", seen, fault_address);
  handle(SIGILL, skip_instruction, 0);
  asm volatile(".option push\n.option norvc\n.word 0xffffffff\n.option pop");
  printf("ILL %d\n", seen);
  signal(SIGSEGV, jump);
  if (sigsetjmp(back, 1) == 0) {
    char *page = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *(volatile char *)page = 1;
  }
  printf("SEGV by protection %d\n", seen);

  /* A read that a handler interrupts: EINTR, or made again. */
  for (int restarts = 0; restarts < 2; restarts++) {
    int fds[2];
    pipe(fds);
    handle(SIGALRM, note, restarts ? SA_RESTART : 0);
    seen = 0;
    pid_t child = fork();
    if (child == 0) {
      usleep(900000);
      write(fds[1], "x", 1);
      _exit(0);
    }
    struct itimerval timer = {.it_value = {0, 300000}};
    setitimer(ITIMER_REAL, &timer, 0);
    char byte = '?';
    int got = read(fds[0], &byte, 1);
    printf("read %d %s byte %c alarm %d\n", got, got < 0 ? strerror(errno) : "ok", byte, seen == SIGALRM);
    waitpid(child, 0, 0);
    close(fds[0]);
    close(fds[1]);
  }

  /* Waiting with another mask. */
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigprocmask(SIG_BLOCK, &set, 0);
  handle(SIGUSR2, note, 0);
  seen = 0;
  raise(SIGUSR2);
  sigemptyset(&set);
  int suspended = sigsuspend(&set);
  printf("sigsuspend %d %s seen %d\n", suspended, strerror(errno), seen);
  sigprocmask(SIG_BLOCK, 0, &old);
  printf("mask is back %d\n", sigismember(&old, SIGUSR2));

  /* Stopping and going on. */
  pid_t child = fork();
  if (child == 0) {
    raise(SIGSTOP);
    _exit(7);
  }
  int status;
  waitpid(child, &status, WUNTRACED);
  printf("stopped %d by %d\n", WIFSTOPPED(status), WSTOPSIG(status));
  kill(child, SIGCONT);
  waitpid(child, &status, WCONTINUED);
  printf("continued %d\n", WIFCONTINUED(status));
  waitpid(child, &status, 0);
  printf("exited %d with %d\n", WIFEXITED(status), WEXITSTATUS(status));

  /* How children die. */
  int deadly[] = {SIGTERM, SIGKILL, SIGABRT, SIGSEGV, SIGPIPE};
  for (int i = 0; i < 5; i++) {
    child = fork();
    if (child == 0) {
      signal(SIGSEGV, SIG_DFL);
      if (deadly[i] == SIGPIPE) {
        int fds[2];
        pipe(fds);
        close(fds[0]);
        write(fds[1], "x", 1);
      } else if (deadly[i] == SIGABRT) abort();
      else if (deadly[i] == SIGSEGV) asm volatile("sd zero, 0(zero)" ::: "memory");
      else raise(deadly[i]);
      _exit(1);
    }
    waitpid(child, &status, 0);
    printf("died of %d: %d\n", deadly[i], WIFSIGNALED(status) && WTERMSIG(status) == deadly[i]);
  }
  signal(SIGCHLD, SIG_IGN);
  if (fork() == 0) _exit(0);
  int waited = wait(0);
  printf("ignored children %d %s\n", waited, strerror(errno));
  return 0;
}
