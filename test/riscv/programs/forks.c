/* Trees of processes: exit codes, order of waiting, orphans, copies of memory, vfork, limits of wait. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t start(void) {
  fflush(stdout);
  return fork();
}

/* Each node adds its depth to what its children exit with. */
static int tree(int depth, int width) {
  int sum = depth;
  if (depth == 0) return 1;
  for (int i = 0; i < width; i++) {
    pid_t child = start();
    if (child == 0) _exit(tree(depth - 1, width));
    int status;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 200;
    sum += WEXITSTATUS(status);
  }
  return sum;
}

static void codes(void) {
  pid_t children[5];
  for (int i = 0; i < 5; i++) {
    children[i] = start();
    if (children[i] == 0) exit(i * 50 + 7);
  }
  for (int i = 4; i >= 0; i--) {
    int status;
    pid_t pid = waitpid(children[i], &status, 0);
    printf("child %d: itself %d, exited %d with %d\n", i, pid == children[i], WIFEXITED(status), WEXITSTATUS(status));
  }
  errno = 0;
  pid_t none = wait(NULL);
  printf("none left: %d %d\n", none, errno == ECHILD);
  errno = 0;
  none = waitpid(children[0], NULL, 0);
  printf("not mine any more: %d %d\n", none, errno == ECHILD);
}

static void polling(void) {
  int gate[2], status;
  if (pipe(gate) != 0) exit(1);
  pid_t child = start();
  if (child == 0) {
    char byte;
    close(gate[1]);
    _exit(read(gate[0], &byte, 1) == 0 ? 3 : 4);
  }
  close(gate[0]);
  printf("still there: %d\n", waitpid(child, &status, WNOHANG));
  close(gate[1]);
  printf("gone: %d, exit %d\n", waitpid(-1, &status, 0) == child, WEXITSTATUS(status));
}

static int initialised = 17;
static int zeroed[4096];

static void copies(void) {
  int *heap = malloc(100000 * sizeof *heap), local = 5, status;
  int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 100000; i++) heap[i] = i;
  pid_t child = start();
  if (child == 0) {
    initialised = 99, local = 6, zeroed[4000] = 1;
    for (int i = 0; i < 100000; i++) heap[i] = -heap[i];
    long sum = initialised + local + zeroed[4000];
    for (int i = 0; i < 100000; i++) sum += heap[i];
    shared[0] = (int)(sum + 704982704L);
    shared[1] = 123;
    _exit(sum == 99 + 6 + 1 - 4999950000L ? 0 : 1);
  }
  waitpid(child, &status, 0);
  long sum = 0;
  for (int i = 0; i < 100000; i++) sum += heap[i];
  printf("copies: child %d; here %d %d %d %ld; shared %d\n", WEXITSTATUS(status), initialised, local, zeroed[4000], sum, shared[1]);
  free(heap);
}

static void killed(void) {
  int status;
  pid_t child = start();
  if (child == 0)
    for (;;) pause();
  kill(child, SIGTERM);
  waitpid(child, &status, 0);
  printf("killed: %d by %d\n", WIFSIGNALED(status), WTERMSIG(status));
  child = start();
  if (child == 0) {
    volatile int *nowhere = NULL;
    *nowhere = 1;
    _exit(0);
  }
  waitpid(child, &status, 0);
  printf("crashed: %d by %d\n", WIFSIGNALED(status), WTERMSIG(status));
  child = start();
  if (child == 0) abort();
  waitpid(child, &status, 0);
  printf("aborted: %d by %d\n", WIFSIGNALED(status), WTERMSIG(status));
}

/* The grandchild outlives its parent and still reaches us through the pipe. */
static void orphan(void) {
  int ends[2];
  if (pipe(ends) != 0) exit(1);
  pid_t child = start();
  if (child == 0) {
    if (fork() == 0) {
      char text[] = "orphan";
      if (write(ends[1], text, sizeof text) < 0) _exit(1);
      _exit(0);
    }
    _exit(0);
  }
  close(ends[1]);
  waitpid(child, NULL, 0);
  char text[16] = "";
  ssize_t n, got = 0;
  while ((n = read(ends[0], text + got, sizeof text - (size_t)got)) > 0) got += n;
  printf("from the %s: %zd bytes\n", text, got);
}

static void siblings(void) {
  pid_t children[20];
  int sum = 0;
  for (int i = 0; i < 20; i++) {
    children[i] = start();
    if (children[i] != 0) continue;
    volatile unsigned long work = 0;
    for (int k = 0; k < (i * 7919) % 5000; k++) work += (unsigned long)k;
    _exit(i);
  }
  for (int i = 0, status; i < 20; i++) sum += waitpid(children[i], &status, 0) == children[i] ? WEXITSTATUS(status) : 1000;
  printf("siblings %d\n", sum);
}

int main(void) {
  printf("tree %d\n", tree(3, 3));
  codes();
  polling();
  copies();
  killed();
  orphan();
  siblings();
  return 0;
}
