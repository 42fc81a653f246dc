#include <stdio.h>
#include <stdlib.h>
__attribute__((noinline, noclone)) static long fib(long n) {
  if (n < 2)
    return n;
  return fib(n - 1) + fib(n - 2);
}
int main(int argc, char **argv) {
  int n = argc > 1 ? atoi(argv[1]) : 38;
  printf("fib %d = %ld\n", n, fib(n));
  return 0;
}
