/* random pointer chase over 64 MB (Sattolo cycle of 8-byte slots). arg: steps */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#define N (8u << 20)
int main(int argc, char **argv) {
  long steps = argc > 1 ? atol(argv[1]) : 20000000;
  uint64_t *p = malloc(N * 8ull);
  uint64_t s = 88172645463325252ull;
  for (uint32_t i = 0; i < N; i++)
    p[i] = i;
  for (uint32_t i = N - 1; i > 0; i--) {
    s ^= s << 13;
    s ^= s >> 7;
    s ^= s << 17;
    uint32_t j = s % i;
    uint64_t t = p[i];
    p[i] = p[j];
    p[j] = t;
  }
  uint64_t k = 0, h = 0;
  for (long i = 0; i < steps; i++) {
    k = p[k];
    h += k;
  }
  printf("memwalk %ld h=%016lx\n", steps, (unsigned long)h);
  return 0;
}
