/*
 * A process of a sequence: receives ops, executes them with plain system calls, answers.
 *
 * All it writes to has been touched before the measured access, also after a fork, so that a fault counted is a fault of the access.
 */
#define _GNU_SOURCE
#include "mm-host.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGNAL_STACK_BYTES (16 * PAGE)
#define STACK_BYTES (64 * PAGE)

static const struct machine *machine;
static int self;
static struct op op;
static struct answer answer;
static sigjmp_buf refused;
static volatile sig_atomic_t signal_number, signal_code;
static char signal_stack[SIGNAL_STACK_BYTES] __attribute__((aligned(4096)));
static struct rusage before, after;

void send_all(int fd, const void *bytes, size_t count) {
  for (const char *at = bytes; count > 0;) {
    const ssize_t n = write(fd, at, count);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(70);
    at += n;
    count -= (size_t)n;
  }
}

bool receive_all(int fd, void *bytes, size_t count) {
  for (char *at = bytes; count > 0;) {
    const ssize_t n = read(fd, at, count);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    count -= (size_t)n;
  }
  return true;
}

static void on_refusal(int number, siginfo_t *info, void *context) {
  (void)context;
  signal_number = number;
  signal_code = info->si_code;
  siglongjmp(refused, 1);
}

static void touch(volatile char *start, size_t count) {
  for (size_t i = 0; i < count; i += PAGE) start[i] = start[i];
  start[count - 1] = start[count - 1];
}

/* Writes to every page that the process itself will write to: none of them faults later. */
static __attribute__((noinline)) void own_pages(void) {
  volatile char stack[STACK_BYTES];
  touch(stack, sizeof stack);
  touch(signal_stack, sizeof signal_stack);
  touch((volatile char *)&op, sizeof op);
  touch((volatile char *)&answer, sizeof answer);
  touch((volatile char *)&refused, sizeof refused);
  touch((volatile char *)&before, sizeof before);
  touch((volatile char *)&after, sizeof after);
  signal_number = signal_code = 0;
  errno = 0;
}

static void catch_signals(void) {
  const stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
  struct sigaction action = {.sa_sigaction = on_refusal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  sigemptyset(&action.sa_mask);
  if (sigaltstack(&stack, NULL) != 0 || sigaction(SIGSEGV, &action, NULL) != 0 || sigaction(SIGBUS, &action, NULL) != 0) _exit(70);
  signal(SIGCHLD, SIG_IGN); /* ended children are gone, not zombies */
}

/* ---- Ops. */

/* One load or store between two looks at the counters. */
static void try_byte(volatile unsigned char *at, enum op_kind kind) {
  signal_number = 0;
  getrusage(RUSAGE_SELF, &before);
  if (sigsetjmp(refused, 0) == 0) {
    if (kind == OP_W)
      *at = op.byte;
    else
      answer.result = *at;
  }
  getrusage(RUSAGE_SELF, &after);
}

/* One access, with the faults it took. The rehearsal takes those of this code itself: a child begins without its pages. */
static void access_byte(void) {
  static volatile unsigned char rehearsal;
  try_byte(&rehearsal, op.kind);
  try_byte(NULL, op.kind);
  answer.result = 0;
  try_byte((volatile unsigned char *)op.address, op.kind);
  answer.minor = after.ru_minflt - before.ru_minflt;
  answer.major = after.ru_majflt - before.ru_majflt;
  answer.signal = signal_number;
  answer.code = signal_code;
}

static int descriptor(void) { return op.file == FILE_NONE ? -1 : machine->fds[op.file]; }

static int64_t call(void) {
  void *const at = (void *)op.address;
  switch (op.kind) {
    case OP_MMAP: return syscall(SYS_mmap, at, op.length, op.prot, op.flags, descriptor(), op.offset);
    case OP_MUNMAP: return syscall(SYS_munmap, at, op.length);
    case OP_MPROTECT: return syscall(SYS_mprotect, at, op.length, op.prot);
    case OP_MREMAP: return syscall(SYS_mremap, at, op.length, op.new_length, op.flags, op.new_address);
    case OP_BRK: return syscall(SYS_brk, at);
    case OP_MADVISE: return syscall(SYS_madvise, at, op.length, op.advice);
    case OP_MLOCK: return syscall(SYS_mlock, at, op.length);
    case OP_MUNLOCK: return syscall(SYS_munlock, at, op.length);
    case OP_MSYNC: return syscall(SYS_msync, at, op.length, MS_SYNC);
    case OP_MINCORE: return syscall(SYS_mincore, at, op.length, answer.core);
    case OP_FTRUNC: return syscall(SYS_ftruncate, descriptor(), op.offset);
    case OP_FWRITE: return syscall(SYS_pwrite64, descriptor(), &op.byte, 1, op.offset);
    case OP_FREAD: return syscall(SYS_pread64, descriptor(), &answer.byte, 1, op.offset);
    case OP_SYSREAD: return syscall(SYS_pread64, descriptor(), at, op.length, op.offset);
    case OP_SYSWRITE: return syscall(SYS_pwrite64, descriptor(), at, op.length, op.offset);
    default: return 0;
  }
}

/* The child becomes the server with the number in `answer.result`, which the driver has put into the op. */
static void fork_server(void) {
  const int index = (int)op.length;
  const pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    self = index;
    own_pages();
    send_all(machine->from[self][1], "", 1); /* ready */
    return;
  }
  answer.result = child;
  answer.child = child;
  own_pages();
}

static void ask_core(void) {
  const struct arena *arena = machine->arena;
  for (unsigned page = 0; page < arena->pages; page++) {
    unsigned char core = 0;
    const long result = syscall(SYS_mincore, arena->start + page * PAGE, PAGE, &core);
    answer.core[page] = result == 0 ? core & 1 : 2;
  }
}

static void execute(void) {
  memset(&answer, 0, sizeof answer);
  errno = 0;
  if (op.kind == OP_W || op.kind == OP_R)
    access_byte();
  else if (op.kind == OP_FORK)
    fork_server();
  else if ((answer.result = call()) == -1 && op.kind != OP_BRK)
    answer.error = errno;
}

void serve(const struct machine *its_machine, int process) {
  machine = its_machine;
  self = process;
  /* The driver alone holds the other ends, so that servers end when it does. */
  for (int i = 0; i < PROCESSES_MAX; i++) {
    close(machine->to[i][1]);
    close(machine->from[i][0]);
  }
  catch_signals();
  own_pages();
  if (machine->arena->letter == 'b' && !move_heap(machine->arena->start)) _exit(77);
  fill_address_space(machine->arena);
  send_all(machine->from[self][1], "", 1); /* ready */
  while (receive_all(machine->to[self][0], &op, sizeof op)) {
    if (op.kind == OP_EXIT) _exit(0);
    const int caller = self;
    execute();
    if (self != caller) continue; /* the child of a fork waits for an op of its own */
    ask_core();
    send_all(machine->from[self][1], &answer, sizeof answer);
  }
  _exit(0);
}
