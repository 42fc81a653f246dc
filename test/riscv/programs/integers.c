/* Integer arithmetic of every width: wrapping, shifts, division at its corners, wide products, bit counting, atomics. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

static const int64_t values[] = {0, 1, -1, 2, 7, -10, 127, -128, 255, 65535, 0x7fffffff, -0x80000000LL, 0xffffffffLL,
                                 0x123456789abcdefLL, INT64_MAX, INT64_MIN};
enum { COUNT = sizeof values / sizeof values[0] };

static uint64_t hash = 14695981039346656037u;

static void mix(uint64_t value) {
  for (int i = 0; i < 8; i++) hash = (hash ^ ((value >> (8 * i)) & 0xff)) * 1099511628211u;
}

/* By inline assembly, for C leaves division by zero and overflow undefined. */
#define OPERATION(NAME) \
  static int64_t NAME##_(int64_t a, int64_t b) { \
    int64_t result; \
    asm(#NAME " %0, %1, %2" : "=r"(result) : "r"(a), "r"(b)); \
    return result; \
  }
OPERATION(div) OPERATION(divu) OPERATION(rem) OPERATION(remu)
OPERATION(divw) OPERATION(divuw) OPERATION(remw) OPERATION(remuw)
OPERATION(mulh) OPERATION(mulhu) OPERATION(mulhsu) OPERATION(mulw)
OPERATION(sllw) OPERATION(srlw) OPERATION(sraw) OPERATION(slt) OPERATION(sltu)

typedef int64_t operation(int64_t, int64_t);
static const struct {
  const char *name;
  operation *apply;
} operations[] = {{"div", div_}, {"divu", divu_}, {"rem", rem_}, {"remu", remu_}, {"divw", divw_}, {"divuw", divuw_},
                  {"remw", remw_}, {"remuw", remuw_}, {"mulh", mulh_}, {"mulhu", mulhu_}, {"mulhsu", mulhsu_}, {"mulw", mulw_},
                  {"sllw", sllw_}, {"srlw", srlw_}, {"sraw", sraw_}, {"slt", slt_}, {"sltu", sltu_}};

static void tables(void) {
  for (unsigned o = 0; o < sizeof operations / sizeof operations[0]; o++) {
    hash = 14695981039346656037u;
    for (int i = 0; i < COUNT; i++)
      for (int j = 0; j < COUNT; j++) mix((uint64_t)operations[o].apply(values[i], values[j]));
    printf("%-6s %016" PRIx64 "  %" PRId64 "\n", operations[o].name, hash, operations[o].apply(INT64_MIN, -1));
  }
}

static void narrow(void) {
  uint8_t a = 250;
  int8_t b = 127;
  uint16_t c = 65530;
  for (int i = 0; i < 10; i++) a++, b = (int8_t)(b + 1), c += 3;
  printf("narrow %u %d %u\n", a, b, c);
  struct {
    unsigned low : 3, middle : 13;
    int high : 16;
  } bits = {5, 4242, -3};
  bits.middle += 9000;
  printf("fields %u %u %d\n", bits.low, bits.middle, bits.high);
}

static void wide(void) {
  unsigned __int128 product = 1;
  for (int i = 1; i <= 40; i++) product = product * (0x9e3779b97f4a7c15u + i) + i;
  printf("wide %016" PRIx64 " %016" PRIx64 "\n", (uint64_t)(product >> 64), (uint64_t)product);
  unsigned __int128 quotient = product / 1000000007u;
  printf("quotient %016" PRIx64 " %016" PRIx64 " rest %" PRIu64 "\n", (uint64_t)(quotient >> 64), (uint64_t)quotient, (uint64_t)(product % 1000000007u));
}

static void bits(void) {
  for (int i = 1; i < COUNT; i++) {
    uint64_t v = (uint64_t)values[i];
    printf("bits %016" PRIx64 " %d %d %d %016" PRIx64 "\n", v, __builtin_popcountll(v), __builtin_clzll(v), __builtin_ctzll(v), __builtin_bswap64(v));
  }
}

static void atomics(void) {
  _Atomic uint32_t word = 5;
  _Atomic int64_t doubleword = -5;
  uint32_t expected = 6;
  int done = atomic_compare_exchange_strong(&word, &expected, 9);
  printf("atomics %d %u", done, expected);
  done = atomic_compare_exchange_strong(&word, &expected, 0xffffffffu);
  printf(" %d %u", done, atomic_load(&word));
  printf(" %u", atomic_fetch_add(&word, 2));
  printf(" %" PRId64, atomic_fetch_or(&doubleword, 0xf0));
  printf(" %" PRId64, atomic_exchange(&doubleword, 77));
  printf(" %" PRId64, atomic_fetch_xor(&doubleword, -1));
  printf(" %u %" PRId64 "\n", word, doubleword);
}

static void collatz(void) {
  unsigned longest = 0, from = 0;
  for (unsigned start = 1; start < 30000; start++) {
    unsigned steps = 0;
    for (uint64_t n = start; n != 1; steps++) n = n % 2 ? 3 * n + 1 : n / 2;
    if (steps > longest) longest = steps, from = start;
  }
  printf("collatz %u %u\n", from, longest);
}

int main(void) {
  tables();
  narrow();
  wide();
  bits();
  atomics();
  collatz();
  return 0;
}
