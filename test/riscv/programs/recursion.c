/* Recursion: mutual, with backtracking, with functions as values, and deep, on a stack of its own that is touched page by page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

static unsigned ackermann(unsigned m, unsigned n) {
  if (m == 0) return n + 1;
  return n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

static unsigned long moves;

static void hanoi(int discs, int from, int to, int by) {
  if (discs == 0) return;
  hanoi(discs - 1, from, by, to);
  moves += (unsigned long)(from * 3 + to);
  hanoi(discs - 1, by, to, from);
}

static int queens(int row, unsigned columns, unsigned left, unsigned right) {
  if (row == 8) return 1;
  int found = 0;
  for (unsigned free = ~(columns | left | right) & 0xff; free != 0; free &= free - 1) {
    unsigned bit = free & -free;
    found += queens(row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1);
  }
  return found;
}

/* Frames of two pages. */
static unsigned long deep(int depth) {
  volatile char frame[8192];
  memset((void *)frame, depth & 0xff, sizeof frame);
  unsigned long below = depth == 0 ? 0 : deep(depth - 1);
  return below + (unsigned char)frame[0] + (unsigned char)frame[8191];
}

static ucontext_t here, there;

static void deep_down(void) { printf("deep %lu\n", deep(512)); }

static void on_another_stack(void) {
  const size_t bytes = 6 << 20;
  getcontext(&there);
  there.uc_stack.ss_sp = malloc(bytes);
  there.uc_stack.ss_size = bytes;
  there.uc_link = &here;
  makecontext(&there, deep_down, 0);
  swapcontext(&here, &there);
  free(there.uc_stack.ss_sp);
}

static int is_odd(unsigned n);
static int is_even(unsigned n) { return n == 0 ? 1 : is_odd(n - 1); }
static int is_odd(unsigned n) { return n == 0 ? 0 : is_even(n - 1); }

static char letters[] = "abcdef";
static unsigned permutations;

static void permute(char *rest, void (*visit)(const char *)) {
  if (*rest == '\0') visit(letters);
  for (char *other = rest; *other != '\0'; other++) {
    char kept = *rest;
    *rest = *other, *other = kept;
    permute(rest + 1, visit);
    kept = *rest;
    *rest = *other, *other = kept;
  }
}

static void count(const char *word) {
  if (++permutations % 180 == 0) printf("%s ", word);
}

int main(void) {
  printf("ackermann %u\n", ackermann(2, 300) + ackermann(3, 5));
  hanoi(14, 1, 3, 2);
  printf("hanoi %lu\n", moves);
  printf("queens %d\n", queens(0, 0, 0, 0));
  on_another_stack();
  printf("even %d odd %d\n", is_even(5001), is_odd(5001));
  permute(letters, count);
  printf("%u permutations\n", permutations);
  return 0;
}
