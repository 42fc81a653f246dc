/* The driver: one process a sequence, one line an op. */
#define _GNU_SOURCE
#include "mm-host.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* An op that takes longer than this hangs: the machine is no use. */
#define OP_MILLISECONDS_MAX 20000
#define STATUS_LACKS 77
#define STATUS_BROKEN 70

void give_up(const char *what) {
  fprintf(stderr, "mm-host: this machine lacks what it takes: %s\n", what);
  exit(STATUS_LACKS);
}

void die(const char *what) {
  fprintf(stderr, "mm-host: %s: %s\n", what, strerror(errno));
  exit(STATUS_BROKEN);
}

static struct machine machine;
static pid_t pids[PROCESSES_MAX];
static int next_process;

static const char *error_name(int error) {
  const char *const name = strerrorname_np(error);
  return name == NULL ? "EUNKNOWN" : name;
}

/* ---- Processes. */

static void wait_readable(int fd, const char *what) {
  struct pollfd poll_of = {.fd = fd, .events = POLLIN};
  if (poll(&poll_of, 1, OP_MILLISECONDS_MAX) != 1) die(what);
}

/* A pidfd becomes readable when the process has given its memory back. */
static void wait_end(int process) {
  const int pidfd = (int)syscall(SYS_pidfd_open, pids[process], 0);
  if (pidfd >= 0) {
    wait_readable(pidfd, "a process does not end");
    close(pidfd);
  } else if (errno != ESRCH)
    die("pidfd_open");
  pids[process] = 0;
}

static void start(const struct arena *arena) {
  machine.arena = arena;
  make_files(machine.fds);
  forget_hashes();
  for (int i = 0; i < PROCESSES_MAX; i++)
    if (pipe(machine.to[i]) != 0 || pipe(machine.from[i]) != 0) die("pipe");
  fflush(stdout);
  pids[0] = fork();
  if (pids[0] < 0) die("fork");
  if (pids[0] == 0) serve(&machine, 0);
  next_process = 1;
  close(machine.from[0][1]);
  char ready;
  int status;
  if (receive_all(machine.from[0][0], &ready, 1)) return;
  waitpid(pids[0], &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_LACKS) give_up("PR_SET_MM_MAP (CONFIG_CHECKPOINT_RESTORE)");
  die("the first process does not start");
}

static void stop(void) {
  const pid_t first = pids[0];
  for (int i = PROCESSES_MAX - 1; i >= 0; i--) {
    if (pids[i] == 0) continue;
    kill(pids[i], SIGKILL);
    wait_end(i);
  }
  if (first != 0) waitpid(first, NULL, 0);
  for (int i = 0; i < PROCESSES_MAX; i++) {
    close(machine.to[i][0]);
    close(machine.to[i][1]);
    close(machine.from[i][0]);
    if (i > 0) close(machine.from[i][1]);
  }
  for (int i = 0; i < FILE_BAD; i++) close(machine.fds[i]);
}

/* ---- Lines. */

static void print_signal(const struct answer *answer) {
  const bool is_bus = answer->signal == SIGBUS;
  const char *const code = is_bus                           ? (answer->code == BUS_ADRERR ? "ADRERR" : "?")
                           : answer->code == SEGV_MAPERR    ? "MAPERR"
                           : answer->code == SEGV_ACCERR    ? "ACCERR"
                                                            : "?";
  printf(",\"sig\":\"%s\",\"code\":\"%s\"", is_bus ? "BUS" : "SEGV", code);
}

static void print_answer(const struct op *op, const struct answer *answer) {
  if (answer->signal != 0)
    print_signal(answer);
  else if (answer->error != 0)
    printf(",\"r\":-1,\"e\":\"%s\"", error_name(answer->error));
  else if (op->kind == OP_MMAP || op->kind == OP_MREMAP || op->kind == OP_BRK) {
    printf(",\"r\":");
    print_place((uint64_t)answer->result, machine.arena);
  } else
    printf(",\"r\":%ld", (long)answer->result);
  if (op->kind == OP_W || op->kind == OP_R) printf(",\"flt\":[%ld,%ld]", answer->minor, answer->major);
  if (op->kind == OP_FREAD && answer->result == 1) printf(",\"b\":%u", answer->byte);
}

/* The end of the heap, which another brk would tell, without moving it: an address below its start is refused. */
static void print_heap(int process) {
  struct op ask = {.kind = OP_BRK, .process = process};
  struct answer answer;
  send_all(machine.to[process][1], &ask, sizeof ask);
  wait_readable(machine.from[process][0], "a process does not answer");
  if (!receive_all(machine.from[process][0], &answer, sizeof answer)) die("a process has ended");
  printf(",\"brk\":");
  print_place((uint64_t)answer.result, machine.arena);
}

static void print_process_state(int process, const unsigned char *core) {
  print_state(pids[process], process, machine.arena, core);
  if (machine.arena->letter == 'b') print_heap(process);
}

/* What the op's process answers. */
static void ask(const struct op *op, struct answer *answer) {
  send_all(machine.to[op->process][1], op, sizeof *op);
  wait_readable(machine.from[op->process][0], "an op does not end");
  if (!receive_all(machine.from[op->process][0], answer, sizeof *answer)) die("a process has ended");
}

static void run_fork(struct op op, struct answer *answer) {
  char ready;
  op.length = (uint64_t)next_process;
  ask(&op, answer);
  if (answer->error != 0 || answer->result <= 0) die("a process cannot be made");
  if (!receive_all(machine.from[next_process][0], &ready, 1)) die("a child does not start");
  inherit_hashes(op.process, next_process);
  pids[next_process] = answer->child;
  printf(",\"r\":\"P%d\"", next_process++);
}

static void run_op(const struct op *op) {
  struct answer answer;
  if (pids[op->process] == 0) {
    printf(",\"r\":\"NOPROC\"");
    return;
  }
  if (op->kind == OP_EXIT) {
    send_all(machine.to[op->process][1], op, sizeof *op);
    wait_end(op->process);
    if (op->process == 0) waitpid(-1, NULL, WNOHANG);
    printf(",\"r\":0");
    return;
  }
  const bool is_limit = op->kind == OP_FORK && next_process == PROCESSES_MAX;
  const bool is_skipped = !is_limit && reaches_outside(op, machine.arena);
  if (is_limit || is_skipped) {
    const struct op nop = {.kind = OP_NOP, .process = op->process};
    ask(&nop, &answer);
    printf(",\"r\":\"%s\"", is_limit ? "LIMIT" : "SKIP");
  } else if (op->kind == OP_FORK)
    run_fork(*op, &answer);
  else {
    ask(op, &answer);
    print_answer(op, &answer);
  }
  print_process_state(op->process, answer.core);
}

static void run(const struct sequence *sequence) {
  printf("{\"seq\":%lu,\"mode\":\"%s\",\"files\":[%u,%u],\"fs\":\"memfd\"}\n", sequence->id, sequence->arena->mode, FILE_SIZES[0], FILE_SIZES[1]);
  start(sequence->arena);
  for (size_t i = 0; i < sequence->count; i++) {
    const struct op *const op = &sequence->ops[i];
    printf("{\"q\":%lu,\"i\":%zu,\"p\":%d,\"op\":\"%s\"", sequence->id, i, op->process, op->text);
    run_op(op);
    printf("}\n");
  }
  stop();
}

/* Without randomised addresses, which only a new image of the program can be. */
static void without_randomisation(char **argv) {
  const int persona = personality(0xffffffff);
  if (persona < 0 || (persona & ADDR_NO_RANDOMIZE) != 0) return;
  if (personality((unsigned long)persona | ADDR_NO_RANDOMIZE) < 0) give_up("personality(ADDR_NO_RANDOMIZE)");
  execv("/proc/self/exe", argv);
  give_up("/proc/self/exe");
}

int main(int argc, char **argv) {
  struct sequence *sequences = NULL;
  if (argc > 2 || (argc == 2 && strcmp(argv[1], "--probe") != 0)) {
    fprintf(stderr, "usage: mm-host < SEQUENCES > RESULTS\n       mm-host --probe\n");
    return 1;
  }
  without_randomisation(argv);
  const char *const lacks = missing_feature();
  if (lacks != NULL) give_up(lacks);
  if (argc == 2) {
    start(&ARENAS[2]);
    stop();
    return 0;
  }
  const size_t count = parse_sequences(stdin, &sequences);
  for (size_t i = 0; i < count; i++) run(&sequences[i]);
  return fflush(stdout) == 0 ? 0 : STATUS_BROKEN;
}
