/* The allocator: many sizes and lifetimes, growing and shrinking, alignment, big blocks, zeroed memory. */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 500, ROUNDS = 30000 };

static uint32_t state = 2463534242u;
static uint32_t draw(uint32_t below) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state % below;
}

static uint8_t *blocks[SLOTS];
static uint32_t sizes[SLOTS];

static uint8_t pattern(int slot, uint32_t at) { return (uint8_t)(slot * 7 + at * 13); }

static int is_intact(int slot) {
  for (uint32_t i = 0; i < sizes[slot]; i += 1 + sizes[slot] / 64)
    if (blocks[slot][i] != pattern(slot, i)) return 0;
  return sizes[slot] == 0 || blocks[slot][sizes[slot] - 1] == pattern(slot, sizes[slot] - 1);
}

static void fill(int slot) {
  for (uint32_t i = 0; i < sizes[slot]; i++) blocks[slot][i] = pattern(slot, i);
}

static uint32_t some_size(void) {
  switch (draw(12)) {
    case 0: return 1 + draw(200000);
    case 1:
    case 2: return 1 + draw(8000);
    default: return 1 + draw(200);
  }
}

static void churn(void) {
  unsigned allocated = 0, resized = 0, freed = 0, damaged = 0;
  for (int round = 0; round < ROUNDS; round++) {
    int slot = (int)draw(SLOTS);
    if (blocks[slot] == NULL) {
      sizes[slot] = some_size();
      blocks[slot] = malloc(sizes[slot]);
      fill(slot);
      allocated++;
    } else if (draw(4) == 0) {
      uint32_t before = sizes[slot], after = some_size();
      sizes[slot] = before < after ? before : after;
      uint8_t *moved = realloc(blocks[slot], after);
      blocks[slot] = moved;
      damaged += !is_intact(slot);
      sizes[slot] = after;
      fill(slot);
      resized++;
    } else {
      damaged += !is_intact(slot);
      free(blocks[slot]);
      blocks[slot] = NULL;
      freed++;
    }
  }
  printf("churn: %u allocated, %u resized, %u freed, %u damaged\n", allocated, resized, freed, damaged);
  for (int slot = 0; slot < SLOTS; slot++) free(blocks[slot]);
}

static void zeroed(void) {
  unsigned long sum = 0;
  for (int i = 1; i < 400; i++) {
    uint8_t *dirty = malloc((size_t)i * 97);
    memset(dirty, 0xff, (size_t)i * 97);
    free(dirty);
    uint8_t *clean = calloc((size_t)i, 97);
    for (int k = 0; k < i * 97; k += 31) sum += clean[k];
    free(clean);
  }
  printf("zeroed: %lu\n", sum);
}

static void aligned(void) {
  unsigned misaligned = 0;
  for (size_t alignment = 16; alignment <= 65536; alignment *= 2) {
    void *at = NULL;
    if (posix_memalign(&at, alignment, 3 * alignment) != 0) exit(1);
    misaligned += ((uintptr_t)at & (alignment - 1)) != 0;
    memset(at, 1, 3 * alignment);
    free(at);
  }
  printf("aligned: %u wrong\n", misaligned);
}

static void large(void) {
  uint8_t *big = malloc(16 << 20);
  for (int i = 0; i < 16; i++) big[(size_t)i << 20] = (uint8_t)i;
  big = realloc(big, 40 << 20);
  unsigned sum = 0;
  for (int i = 0; i < 40; i++) sum += big[(size_t)i << 20];
  big = realloc(big, 1 << 20);
  printf("large: %u, refused %d\n", sum, malloc((size_t)1 << 62) == NULL);
  free(big);
}

struct node {
  struct node *left, *right;
  uint32_t key;
};

static struct node *insert(struct node *node, uint32_t key) {
  if (node == NULL) {
    node = calloc(1, sizeof *node);
    node->key = key;
  } else if (key < node->key) {
    node->left = insert(node->left, key);
  } else {
    node->right = insert(node->right, key);
  }
  return node;
}

static uint64_t fold(struct node *node, uint64_t hash) {
  if (node == NULL) return hash;
  hash = fold(node->left, hash);
  hash = (hash ^ node->key) * 1099511628211u;
  hash = fold(node->right, hash);
  free(node);
  return hash;
}

int main(void) {
  churn();
  zeroed();
  aligned();
  large();
  struct node *tree = NULL;
  for (int i = 0; i < 20000; i++) tree = insert(tree, draw(1u << 30));
  printf("tree %016lx\n", fold(tree, 14695981039346656037u));
  return 0;
}
