/* CoreMark-like integer mix (own code): list sort/search, int matrix, state machine, crc16. arg: iterations */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
typedef struct node {
  struct node *next;
  int16_t key, val;
} node;
#define NN 64
static node pool[NN];
static int16_t A[12 * 12], B[12 * 12];
static int32_t C[12 * 12];
static uint16_t crc16(uint16_t c, uint16_t d) {
  for (int i = 0; i < 16; i++) {
    int b = (d ^ c) & 1;
    d >>= 1;
    c >>= 1;
    if (b)
      c ^= 0xA001;
  }
  return c;
}
static node *merge(node *a, node *b) {
  node h, *t = &h;
  while (a && b) {
    if (a->key <= b->key) {
      t->next = a;
      a = a->next;
    } else {
      t->next = b;
      b = b->next;
    }
    t = t->next;
  }
  t->next = a ? a : b;
  return h.next;
}
static node *msort(node *l) {
  if (!l || !l->next)
    return l;
  node *s = l, *f = l->next;
  while (f && f->next) {
    s = s->next;
    f = f->next->next;
  }
  node *r = s->next;
  s->next = 0;
  return merge(msort(l), msort(r));
}
static const char *in[] = {"5012",     "1234",     "-874",     "+122",     "35.54400", ".1234500",
                           "-110.700", "+0.64400", "5.500e+3", "-.123e-2", "-87e+832", "+0.6e-12",
                           "T0.3e-1F", "-T.T++Tq", "1T3.4e4z", "34.0e-T^"};
static int fsm(const char *s, int *tr) {
  int st = 0;
  for (; *s; s++) {
    char c = *s;
    int d = c >= '0' && c <= '9';
    switch (st) {
    case 0:
      st = d ? 2 : (c == '+' || c == '-') ? 1 : c == '.' ? 3 : 7;
      break;
    case 1:
      st = d ? 2 : c == '.' ? 3 : 7;
      break;
    case 2:
      st = d ? 2 : c == '.' ? 3 : (c == 'e' || c == 'E') ? 4 : 7;
      break;
    case 3:
      st = d ? 3 : (c == 'e' || c == 'E') ? 4 : 7;
      break;
    case 4:
      st = (c == '+' || c == '-') ? 5 : d ? 6 : 7;
      break;
    case 5:
      st = d ? 6 : 7;
      break;
    case 6:
      st = d ? 6 : 7;
      break;
    default:
      break;
    }
    tr[st]++;
  }
  return st;
}
int main(int argc, char **argv) {
  int it = argc > 1 ? atoi(argv[1]) : 20000;
  uint16_t crc = 0xffff;
  uint32_t seed = 12345;
  for (int k = 0; k < it; k++) {
    node *l = 0;
    for (int i = 0; i < NN; i++) {
      seed = seed * 1103515245 + 12345;
      pool[i].key = seed >> 16;
      pool[i].val = i;
      pool[i].next = l;
      l = &pool[i];
    }
    l = msort(l);
    int s = 0;
    for (node *n = l; n; n = n->next)
      s = s * 3 + n->val;
    crc = crc16(crc, s);
    for (int i = 0; i < 144; i++) {
      A[i] = (seed >> (i & 15)) + i;
      B[i] = i * k;
    }
    for (int i = 0; i < 12; i++)
      for (int j = 0; j < 12; j++) {
        int32_t t = 0;
        for (int m = 0; m < 12; m++)
          t += A[i * 12 + m] * B[m * 12 + j];
        C[i * 12 + j] = t;
      }
    int32_t t = 0;
    for (int i = 0; i < 144; i++)
      t ^= C[i] >> (i & 7);
    crc = crc16(crc, t);
    int tr[8] = {0};
    for (int i = 0; i < 16; i++)
      crc = crc16(crc, fsm(in[(i + k) & 15], tr));
    for (int i = 0; i < 8; i++)
      crc = crc16(crc, tr[i]);
  }
  printf("coremix %d crc=%04x\n", it, crc);
  return 0;
}
