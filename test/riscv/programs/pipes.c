/* Pipes: between processes, their end, full and broken ones, dup2, poll, a chain of filters, many writers. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t start(void) {
  fflush(stdout);
  return fork();
}

static void talk(void) {
  int there[2], back[2], status;
  if (pipe(there) != 0 || pipe(back) != 0) exit(1);
  pid_t child = start();
  if (child == 0) {
    close(there[1]), close(back[0]);
    char byte;
    while (read(there[0], &byte, 1) == 1) {
      byte = (char)(byte >= 'a' && byte <= 'z' ? byte - 32 : byte);
      if (write(back[1], &byte, 1) != 1) _exit(2);
    }
    _exit(42);
  }
  close(there[0]), close(back[1]);
  char text[] = "hello, pipe", answer[64];
  ssize_t length = write(there[1], text, strlen(text));
  close(there[1]);
  ssize_t got = 0, part;
  while ((part = read(back[0], answer + got, sizeof answer - (size_t)got)) > 0) got += part;
  waitpid(child, &status, 0);
  printf("talk: %zd there, %zd back '%.*s', exit %d\n", length, got, (int)got, answer, WEXITSTATUS(status));
}

/* More than a pipe holds, so that both sides must wait for each other. */
static void flood(void) {
  int ends[2], status;
  enum { BYTES = 300000 };
  if (pipe(ends) != 0) exit(1);
  pid_t child = start();
  if (child == 0) {
    close(ends[0]);
    static uint8_t block[7777];
    uint32_t sum = 0;
    for (int sent = 0; sent < BYTES;) {
      int part = BYTES - sent < (int)sizeof block ? BYTES - sent : (int)sizeof block;
      for (int i = 0; i < part; i++) block[i] = (uint8_t)((sent + i) * 31 >> 3), sum += block[i];
      for (int done = 0; done < part;) {
        ssize_t n = write(ends[1], block + done, (size_t)(part - done));
        if (n <= 0) _exit(1);
        done += (int)n;
      }
      sent += part;
    }
    _exit((int)(sum & 127));
  }
  close(ends[1]);
  uint8_t buffer[5000];
  uint32_t sum = 0, bytes = 0;
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0; bytes += (uint32_t)n)
    for (ssize_t i = 0; i < n; i++) sum += buffer[i];
  close(ends[0]);
  waitpid(child, &status, 0);
  printf("flood: %u bytes, sum %u, child agrees %d\n", bytes, sum, WEXITSTATUS(status) == (int)(sum & 127));
}

static void broken(void) {
  int ends[2], status;
  if (pipe(ends) != 0) exit(1);
  close(ends[0]);
  pid_t child = start();
  if (child == 0) {
    ssize_t n = write(ends[1], "x", 1);
    _exit(n == 1 ? 0 : 1);
  }
  waitpid(child, &status, 0);
  printf("broken: died of SIGPIPE %d\n", WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
  signal(SIGPIPE, SIG_IGN);
  ssize_t n = write(ends[1], "x", 1);
  printf("broken: %zd %d\n", n, errno == EPIPE);
  signal(SIGPIPE, SIG_DFL);
  close(ends[1]);
}

static void unblocked(void) {
  int ends[2];
  char byte = 0;
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) exit(1);
  ssize_t n = read(ends[0], &byte, 1);
  printf("empty: %zd %d\n", n, errno == EAGAIN);
  static char block[4096];
  long total = 0;
  while ((n = write(ends[1], block, sizeof block)) > 0) total += n;
  printf("full after %ld: %d\n", total, errno == EAGAIN);
  printf("flags %d %d\n", fcntl(ends[0], F_GETFD) == FD_CLOEXEC, (fcntl(ends[0], F_GETFL) & O_NONBLOCK) != 0);
  struct pollfd polls[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}};
  int ready = poll(polls, 2, 0);
  printf("poll %d: readable %d, writable %d\n", ready, polls[0].revents == POLLIN, polls[1].revents == POLLOUT);
  close(ends[1]);
  while (read(ends[0], block, sizeof block) > 0) continue;
  ready = poll(polls, 1, -1);
  printf("poll %d: hung up %d\n", ready, (polls[0].revents & POLLHUP) != 0);
  close(ends[0]);
}

/* a | b | c as a shell makes it. */
static void chain(void) {
  int in = -1;
  pid_t children[3];
  for (int stage = 0; stage < 3; stage++) {
    int ends[2] = {-1, -1};
    if (stage < 2 && pipe(ends) != 0) exit(1);
    children[stage] = start();
    if (children[stage] == 0) {
      if (in >= 0) dup2(in, STDIN_FILENO), close(in);
      if (ends[1] >= 0) dup2(ends[1], STDOUT_FILENO), close(ends[0]), close(ends[1]);
      if (stage == 0) {
        for (int i = 1; i <= 1000; i++) printf("%d\n", i);
      } else {
        char line[64];
        long sum = 0;
        while (fgets(line, sizeof line, stdin) != NULL) {
          long value = atol(line);
          if (stage == 1 && value % 7 == 0) printf("%ld\n", value * value);
          sum += value;
        }
        if (stage == 2) printf("chain %ld\n", sum);
      }
      fflush(stdout);
      _exit(stage);
    }
    if (in >= 0) close(in);
    if (ends[1] >= 0) close(ends[1]);
    in = ends[0];
  }
  for (int stage = 0; stage < 3; stage++) {
    int status;
    waitpid(children[stage], &status, 0);
    printf("stage %d exit %d\n", stage, WEXITSTATUS(status));
  }
}

/* Writes of up to PIPE_BUF bytes are not torn. */
static void writers(void) {
  int ends[2];
  if (pipe(ends) != 0) exit(1);
  for (int w = 0; w < 4; w++) {
    if (start() != 0) continue;
    char record[100];
    memset(record, 'A' + w, sizeof record);
    for (int i = 0; i < 200; i++)
      if (write(ends[1], record, sizeof record) != sizeof record) _exit(1);
    _exit(0);
  }
  close(ends[1]);
  int counts[4] = {0}, torn = 0;
  char record[100];
  FILE *stream = fdopen(ends[0], "r");
  while (fread(record, sizeof record, 1, stream) == 1) {
    for (int i = 1; i < 100; i++) torn += record[i] != record[0];
    counts[record[0] - 'A']++;
  }
  while (wait(NULL) > 0) continue;
  printf("writers %d %d %d %d, torn %d\n", counts[0], counts[1], counts[2], counts[3], torn);
}

int main(void) {
  talk();
  flood();
  broken();
  unblocked();
  chain();
  writers();
  return 0;
}
