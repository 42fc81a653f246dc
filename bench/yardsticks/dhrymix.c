/* Dhrystone-like: records, strings, calls (own code). arg: iterations */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
typedef struct rec {
  struct rec *p;
  int discr, e;
  int icomp;
  char s[31];
} rec;
static rec r1, r2;
static int ig;
static char c1 = 'A', c2;
static int a1[50], a2[50][50];
__attribute__((noinline)) int f1(char a, char b) {
  if (a != b)
    return 0;
  c1 = a;
  return 1;
}
__attribute__((noinline)) int f2(const char *a, const char *b) {
  int i = 2;
  char c = 0;
  while (i <= 2) {
    if (f1(a[i], b[i + 1]) == 0) {
      c = 'A';
      i++;
    } else
      i += 3;
  }
  if (c >= 'W' && c < 'Z')
    i = 7;
  if (c == 'R')
    return 1;
  if (strcmp(a, b) > 0) {
    ig = i + 7;
    return 1;
  }
  return 0;
}
__attribute__((noinline)) void p7(int a, int b, int *o) { *o = b + a + 2; }
__attribute__((noinline)) void p8(int *x, int (*y)[50], int i, int j) {
  int k = i + 5;
  x[k] = j;
  x[k + 1] = x[k];
  x[k + 30] = k;
  for (int m = k; m <= k + 1; m++)
    y[k][m] = k;
  y[k][k - 1]++;
  y[k + 20][k] = x[k];
  ig = 5;
}
__attribute__((noinline)) void p6(int v, int *o) {
  *o = v;
  switch (v) {
  case 0:
    *o = 0;
    break;
  case 1:
    *o = ig > 100 ? 0 : 3;
    break;
  case 2:
    *o = 1;
    break;
  case 4:
    *o = 2;
  }
}
__attribute__((noinline)) void p3(rec **o) {
  *o = r1.p;
  p7(10, ig, &r1.icomp);
}
__attribute__((noinline)) void p1(rec *p) {
  rec *n = p->p;
  *p->p = r1;
  p->icomp = 5;
  n->icomp = p->icomp;
  n->p = p->p;
  p3(&n->p);
  if (n->discr == 0) {
    n->icomp = 6;
    p6(p->e, &n->e);
    n->p = r1.p;
    p7(n->icomp, 10, &n->icomp);
  } else
    *p = *p->p;
}
int main(int argc, char **argv) {
  int it = argc > 1 ? atoi(argv[1]) : 2000000;
  char s1[31], s2[31];
  int a = 0, b = 0, c = 0;
  unsigned h = 0;
  r1.p = &r2;
  r1.discr = 0;
  r1.e = 2;
  r1.icomp = 40;
  strcpy(r1.s, "DHRYSTONE PROGRAM, SOME STRING");
  strcpy(s1, "DHRYSTONE PROGRAM, 1'ST STRING");
  for (int k = 1; k <= it; k++) {
    c1 = 'A';
    c2 = 'B';
    a = 2;
    b = 3;
    strcpy(s2, "DHRYSTONE PROGRAM, 2'ND STRING");
    s2[29] = 'A' + (k & 15);
    int bo = !f2(s1, s2);
    while (a < b) {
      c = 5 * a - b;
      p7(a, b, &c);
      a++;
    }
    p8(a1, a2, a, c);
    p1(&r1);
    for (char ch = 'A'; ch <= c2; ch++)
      if (bo == f1(ch, 'C'))
        p6(0, &r1.e);
    b = b * a;
    a = b / c;
    b = 7 * (b - c) - a;
    h = h * 31 + a + b + c + r1.icomp + r2.icomp + ig;
  }
  printf("dhrymix %d h=%08x\n", it, h);
  return 0;
}
