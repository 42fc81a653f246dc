/* The library's qsort and bsearch, on numbers, records and strings. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 5000 };

struct record {
  char name[12];
  int32_t key;
  double weight;
  uint16_t order;
};

static uint32_t state = 12345;
static uint32_t draw(void) {
  state ^= state << 13;
  state ^= state >> 17;
  return state ^= state << 5;
}

static int by_value(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static int by_weight(const void *a, const void *b) {
  const struct record *x = a, *y = b;
  if (x->weight != y->weight) return x->weight < y->weight ? -1 : 1;
  return strcmp(x->name, y->name) != 0 ? strcmp(x->name, y->name) : (int)x->order - (int)y->order;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int main(void) {
  uint32_t *numbers = malloc(COUNT * sizeof *numbers);
  for (int i = 0; i < COUNT; i++) numbers[i] = draw();
  uint32_t wanted = numbers[777];
  qsort(numbers, COUNT, sizeof *numbers, by_value);
  uint64_t sum = 0;
  for (int i = 0; i < COUNT; i++) sum = sum * 31 + numbers[i];
  uint32_t *found = bsearch(&wanted, numbers, COUNT, sizeof *numbers, by_value);
  printf("numbers %016lx, %u at %td\n", sum, wanted, found - numbers);

  struct record *records = malloc(2000 * sizeof *records);
  for (int i = 0; i < 2000; i++) {
    records[i].key = (int32_t)draw();
    records[i].weight = (double)(draw() % 50) / 7;
    records[i].order = (uint16_t)i;
    snprintf(records[i].name, sizeof records[i].name, "r%u", draw() % 100);
  }
  qsort(records, 2000, sizeof *records, by_weight);
  for (int i = 0; i < 2000; i += 199) printf("%s %d %.6f %u\n", records[i].name, records[i].key, records[i].weight, records[i].order);

  char **words = malloc(3000 * sizeof *words);
  for (int i = 0; i < 3000; i++) {
    words[i] = malloc(16);
    int length = 1 + (int)(draw() % 12);
    for (int k = 0; k < length; k++) words[i][k] = (char)('a' + draw() % 4);
    words[i][length] = '\0';
  }
  qsort(words, 3000, sizeof *words, by_text);
  for (int i = 0; i < 3000; i += 300) printf("%s\n", words[i]);
  return 0;
}
