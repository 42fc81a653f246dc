/*
 * Executes pieces of code on given states of a RISC-V hart, and says what became of the states.
 *
 * stdin:  a header, the code, which is put at CODE, and records (struct record); stdout: the same records after execution.
 * The window is 64 bytes of memory across a page boundary, for loads and stores. A piece of code keeps one register, `pointer`,
 * free of its own use: it holds the address of the record. The code begins by loading the register through which it was
 * called, and ends by saving that register and jumping to exits[0] or, if a jump was taken, to exits[1]:
 *
 *     ld link, x+8*link(pointer)    … under test …    sd link, x+8*link(pointer); ld link, exits(pointer); jr link
 *
 * `link` is x31, or x30 if that is the pointer.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CODE 0x10000000
#define CODE_BYTES 0x200000
#define WINDOW_PAGES 0x20000000
#define WINDOW_PAGES_BYTES 0x2000
#define RECORDS_MAX 65536

struct header {
  uint64_t code_bytes, records;
};

struct record {
  uint64_t x[32], f[32]; /* x[0] is the address of the code on entry */
  uint64_t window[8];
  uint64_t fcsr, pointer, exit, exits[2];
};

_Static_assert(offsetof(struct record, f) == 256 && offsetof(struct record, window) == 512, "as in state-driver-run.S");
_Static_assert(offsetof(struct record, fcsr) == 576 && offsetof(struct record, pointer) == 584, "as in state-driver-run.S");
_Static_assert(offsetof(struct record, exit) == 592 && offsetof(struct record, exits) == 600, "as in state-driver-run.S");

void run(struct record *); /* state-driver-run.S */

static void *map(uintptr_t address, size_t bytes) {
  void *at = mmap((void *)address, bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (at == MAP_FAILED) abort();
  return at;
}

static void read_all(void *to, size_t bytes) {
  if (fread(to, 1, bytes, stdin) != bytes) abort();
}

int main(void) {
  struct header header;
  read_all(&header, sizeof header);
  if (header.code_bytes > CODE_BYTES || header.records > RECORDS_MAX) abort();
  read_all(map(CODE, CODE_BYTES), header.code_bytes);
  map(WINDOW_PAGES, WINDOW_PAGES_BYTES);
  asm volatile("fence.i");

  struct record *records = calloc(header.records, sizeof *records);
  read_all(records, header.records * sizeof *records);
  for (uint64_t i = 0; i < header.records; i++) run(&records[i]);
  fwrite(records, sizeof *records, header.records, stdout);
  return 0;
}
