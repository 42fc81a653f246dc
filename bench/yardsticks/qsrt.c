#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
static int cmp(const void *a, const void *b) {
  int32_t x = *(int32_t *)a, y = *(int32_t *)b;
  return (x > y) - (x < y);
}
int main(int argc, char **argv) {
  long n = argc > 1 ? atol(argv[1]) : 10000000;
  int32_t *p = malloc(n * 4);
  uint32_t s = 1;
  for (long i = 0; i < n; i++) {
    s ^= s << 13;
    s ^= s >> 17;
    s ^= s << 5;
    p[i] = s;
  }
  qsort(p, n, 4, cmp);
  uint32_t h = 0;
  for (long i = 0; i < n; i++) {
    if (i && p[i - 1] > p[i])
      return 1;
    h = h * 31 + p[i];
  }
  printf("qsrt %ld h=%08x\n", n, h);
  return 0;
}
