/* Processes as a program sees them: fork, vfork, posix_spawn, exec, waiting, descriptors, groups. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

static int global = 1;

static void say(const char *what, long result) { printf("%s %ld %s\n", what, result, result < 0 ? strerror(errno) : "ok"); }

int main(int argc, char **argv) {
  setvbuf(stdout, 0, _IONBF, 0);
  if (argc > 1) {
    printf("child %s %s env %s fd9 %d\n", argv[1], argc > 2 ? argv[2] : "-", getenv("MARK") ? getenv("MARK") : "-", fcntl(9, F_GETFD));
    return 5;
  }
  int status, fds[2];
  int *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t child = fork();
  if (child == 0) {
    global = 2;
    *shared = 42;
    _exit(3);
  }
  waitpid(child, &status, 0);
  printf("fork: global %d shared %d exit %d\n", global, *shared, WEXITSTATUS(status));

  volatile int changed = 1;
  child = vfork();
  if (child == 0) {
    changed = 2;
    _exit(4);
  }
  waitpid(child, &status, 0);
  printf("vfork: changed %d exit %d\n", changed, WEXITSTATUS(status));

  int null = open("/dev/null", O_RDONLY);
  dup2(null, 9);
  char *arguments[] = {argv[0], "spawned", "a b", 0};
  char *environment[] = {"MARK=1", 0};
  int spawned = posix_spawn(&child, "/proc/self/exe", 0, 0, arguments, environment);
  waitpid(child, &status, 0);
  printf("spawn %d exit %d\n", spawned, WEXITSTATUS(status));
  fcntl(9, F_SETFD, FD_CLOEXEC);
  child = fork();
  if (child == 0) {
    char *none[] = {argv[0], "executed", 0};
    execve("/proc/self/exe", none, environment);
    _exit(127);
  }
  waitpid(child, &status, 0);
  printf("executed exit %d\n", WEXITSTATUS(status));
  printf("spawn of nothing: %s\n", strerror(posix_spawn(&child, "/nonexistent/x", 0, 0, arguments, environment)));
  execve("/dev/null", arguments, environment);
  printf("exec of a device: %s\n", strerror(errno));
  execve("/", arguments, environment);
  printf("exec of a directory: %s\n", strerror(errno));

  /* Waiting. */
  say("wait for nobody", wait(&status));
  pipe(fds);
  child = fork();
  if (child == 0) {
    char byte;
    close(fds[1]);
    read(fds[0], &byte, 1);
    _exit(1);
  }
  close(fds[0]);
  printf("not yet %d\n", waitpid(child, &status, WNOHANG));
  close(fds[1]);
  printf("now %d\n", waitpid(child, &status, 0) == child);
  say("wait for a stranger", waitpid(1 << 20, &status, 0));

  /* Groups. */
  child = fork();
  if (child == 0) {
    int before = getpgrp() == getpid();
    setpgid(0, 0);
    printf("group leader %d -> %d\n", before, getpgrp() == getpid());
    say("setsid of a leader", setsid());
    _exit(0);
  }
  waitpid(child, &status, 0);
  child = fork();
  if (child == 0) {
    pid_t session = setsid();
    printf("setsid %d %d\n", session == getpid(), getsid(0) == session);
    say("setpgid of a leader", setpgid(0, 0));
    _exit(0);
  }
  waitpid(child, &status, 0);

  /* Pipes. */
  pipe(fds);
  char big[70000];
  memset(big, 'x', sizeof big);
  fcntl(fds[1], F_SETFL, O_NONBLOCK);
  say("a pipe takes", write(fds[1], big, sizeof big));
  say("and then", write(fds[1], big, 1));
  struct pollfd polls[] = {{fds[0], POLLIN, 0}, {fds[1], POLLOUT, 0}, {-1, POLLIN, 0}, {77, POLLIN, 0}};
  int ready = poll(polls, 4, 0);
  printf("poll %d: %d %d %d %d\n", ready, polls[0].revents, polls[1].revents, polls[2].revents, polls[3].revents);
  say("read all", read(fds[0], big, 65536));
  fcntl(fds[0], F_SETFL, O_NONBLOCK);
  say("read nothing", read(fds[0], big, 1));
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fds[0], &set);
  struct timeval time = {0, 1000};
  printf("select %d\n", select(fds[0] + 1, &set, 0, 0, &time));
  close(fds[1]);
  printf("end of pipe %zd\n", read(fds[0], big, 1));
  ready = poll(polls, 1, -1);
  printf("hung up %d: %d\n", ready, polls[0].revents);
  /* A big write through a pipe, both sides blocking. */
  pipe(fds);
  child = fork();
  if (child == 0) {
    close(fds[0]);
    for (int i = 0; i < 20; i++) write(fds[1], big, sizeof big);
    _exit(0);
  }
  close(fds[1]);
  long total = 0, got;
  while ((got = read(fds[0], big, 5000)) > 0) total += got;
  waitpid(child, &status, 0);
  printf("through the pipe %ld\n", total);

  /* Descriptors. */
  int file = open("shared.txt", O_RDWR | O_CREAT | O_TRUNC, 0644), copy = dup(file);
  write(file, "hello ", 6);
  write(copy, "world", 5);
  printf("shared position %ld\n", (long)lseek(file, 0, SEEK_CUR));
  child = fork();
  if (child == 0) {
    lseek(file, 1, SEEK_SET);
    _exit(0);
  }
  waitpid(child, &status, 0);
  printf("position after the child %ld\n", (long)lseek(copy, 0, SEEK_CUR));
  say("dup2 to 30", dup2(file, 30));
  say("lowest free from 20", fcntl(file, F_DUPFD, 20));
  say("dup2 too far", dup2(file, 1 << 20));
  struct rlimit limit = {16, 16};
  setrlimit(RLIMIT_NOFILE, &limit);
  int last = 0;
  while ((got = dup(file)) >= 0) last = got;
  printf("descriptors up to %d: %s\n", last, strerror(errno));
  unlink("shared.txt");
  char name[16] = {0};
  prctl(PR_SET_NAME, "a name that is too long");
  prctl(PR_GET_NAME, name);
  printf("name '%s'\n", name);
  return 0;
}
