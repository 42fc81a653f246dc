/* Faults that a program handles: SIGSEGV with address and code, mprotect in the handler, guard pages, copies on write. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

static sigjmp_buf out;
static volatile uintptr_t fault_address;
static volatile int fault_code, faults;
static uint8_t *lazy;

static void leave(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  fault_address = (uintptr_t)info->si_addr;
  fault_code = info->si_code;
  siglongjmp(out, 1);
}

/* Makes the page accessible, and lets the instruction run again. */
static void mend(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  uint8_t *page = (uint8_t *)((uintptr_t)info->si_addr & -(uintptr_t)PAGE);
  faults++;
  if (mprotect(page, PAGE, PROT_READ | PROT_WRITE) != 0) _exit(99);
  page[PAGE - 1] = (uint8_t)faults;
}

static void install(void (*handler)(int, siginfo_t *, void *)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
}

static uint8_t *map(size_t pages, int protection) {
  uint8_t *at = mmap(NULL, pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) exit(1);
  return at;
}

#define TRY(WHAT, BASE, ACTION) \
  do { \
    if (sigsetjmp(out, 1) == 0) { \
      ACTION; \
      printf("%-34s went well\n", WHAT); \
    } else { \
      printf("%-34s refused at +%ld, %s\n", WHAT, (long)(fault_address - (uintptr_t)(BASE)), \
             fault_code == SEGV_MAPERR ? "nothing there" : fault_code == SEGV_ACCERR ? "not allowed" : "another code"); \
    } \
  } while (0)

static void refusals(void) {
  install(leave);
  volatile uint8_t *area = map(4, PROT_READ | PROT_WRITE);
  memset((void *)area, 7, 4 * PAGE);
  TRY("a null pointer", NULL, *(volatile int *)NULL = 1);
  TRY("near a null pointer", NULL, (void)*(volatile int *)100);
  mprotect((void *)(area + PAGE), PAGE, PROT_READ);
  TRY("a load where loads are allowed", area, (void)area[PAGE + 5]);
  TRY("a store where they are not", area, area[PAGE + 5] = 1);
  TRY("a store across the border", area, *(volatile uint64_t *)(area + PAGE - 3) = 0x0102030405060708u);
  printf("nothing of it was stored: %d %d\n", area[PAGE - 3], area[PAGE - 1]);
  mprotect((void *)(area + 2 * PAGE), PAGE, PROT_NONE);
  TRY("a load where nothing is allowed", area, (void)area[2 * PAGE]);
  TRY("a jump to data", area, ((void (*)(void))(uintptr_t)area)());
  munmap((void *)(area + 3 * PAGE), PAGE);
  TRY("a load where nothing is mapped", area, (void)area[3 * PAGE + 8]);
  mprotect((void *)(area + PAGE), 2 * PAGE, PROT_READ | PROT_WRITE);
  TRY("a store allowed again", area, area[PAGE + 5] = 1);
  printf("the data are still there: %d %d %d\n", area[0], area[PAGE + 5], area[2 * PAGE + 9]);
}

static void lazily(void) {
  install(mend);
  lazy = map(64, PROT_NONE);
  unsigned long sum = 0;
  for (int i = 0; i < 64; i += 3) lazy[i * PAGE + 10] = (uint8_t)i;
  for (int i = 0; i < 64; i++) sum += lazy[i * PAGE + 10] + 1000u * lazy[i * PAGE + PAGE - 1];
  printf("lazily: %d faults, sum %lu\n", faults, sum);
}

static void errors(void) {
  uint8_t *area = map(3, PROT_READ);
  printf("unaligned %d", mprotect(area + 1, PAGE, PROT_READ) == -1 && errno == EINVAL);
  munmap(area + PAGE, PAGE);
  printf(", of no length %d", mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
  printf(", unmapping nothing %d\n", munmap(area + PAGE, PAGE) == 0);
}

static void fixed(void) {
  install(leave);
  volatile uint8_t *area = map(3, PROT_READ | PROT_WRITE);
  memset((void *)area, 9, 3 * PAGE);
  void *same = mmap((void *)(area + PAGE), PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  printf("fixed: in place %d, zero %d, neighbours %d %d\n", same == area + PAGE, area[PAGE], area[PAGE - 1], area[2 * PAGE]);
  TRY("a store to the new page", area, area[PAGE] = 1);
  volatile uint8_t *grown = mremap((void *)area, PAGE, 8 * PAGE, MREMAP_MAYMOVE);
  printf("grown: %d, then %d\n", grown[0], grown[5 * PAGE]);
}

static void copied(void) {
  volatile uint8_t *area = map(16, PROT_READ | PROT_WRITE);
  for (int i = 0; i < 16; i++) area[i * PAGE] = (uint8_t)(i + 1);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    int sum = 0;
    for (int i = 0; i < 16; i += 2) area[i * PAGE] = 100;
    mprotect((void *)area, 16 * PAGE, PROT_READ);
    for (int i = 0; i < 16; i++) sum += area[i * PAGE];
    install(leave);
    if (sigsetjmp(out, 1) == 0) area[0] = 1;
    else sum /= 8;
    _exit(sum);
  }
  int status, sum = 0;
  waitpid(child, &status, 0);
  for (int i = 0; i < 16; i++) sum += area[i * PAGE], area[i * PAGE]++;
  printf("copied: child %d, here %d\n", WEXITSTATUS(status), sum);
}

/* A stack overflow is noticed on another stack. */
#pragma GCC diagnostic ignored "-Winfinite-recursion"
static int overflow(int depth) {
  volatile char frame[4096];
  frame[0] = (char)depth;
  return overflow(depth + 1) + frame[0];
}

static void stack(void) {
  static char alternative[65536];
  stack_t other = {.ss_sp = alternative, .ss_size = sizeof alternative};
  sigaltstack(&other, NULL);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = leave;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &action, NULL);
  if (sigsetjmp(out, 1) == 0) printf("%d\n", overflow(0));
  else printf("the stack has an end\n");
}

int main(void) {
  refusals();
  lazily();
  errors();
  fixed();
  copied();
  stack();
  return 0;
}
