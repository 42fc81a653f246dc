/*
 * mm-host: carries out sequences of memory calls on the kernel it runs on, and prints what the kernel answered.
 *
 * In: sequences as text (the grammar of traces/sequences/op.ts). Out: result lines as JSON (traces/sequences/result.ts).
 *
 *     driver (main.c)        reads sequences, sends each op to the process that is to run it, prints the lines
 *       state.c              looks at that process from outside: smaps, pagemap, mem
 *     servers (server.c)     one process a process of the sequence; executes one op at a time
 *       arena.c              what makes a run repeatable: everything but the arena is filled before the first op
 *
 * Linux 6.7 or later (PAGEMAP_SCAN) on x86-64 or arm64 with pages of 4 KiB; no privileges. Between the first op and the last a server uses no
 * memory that it has not touched before: no malloc, no stdio, no deeper stack.
 */
#ifndef MM_HOST_H
#define MM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define PAGE 4096UL
#define PROCESSES_MAX 4
#define ARENA_PAGES_MAX 4096
#define LINE_MAX_BYTES 256

/* ---- Sequences. */

struct arena {
  const char *mode;
  char letter;
  uint64_t start;
  unsigned pages;
};

enum op_kind {
  OP_MMAP, OP_MUNMAP, OP_MPROTECT, OP_MREMAP, OP_BRK, OP_MADVISE, OP_MLOCK, OP_MUNLOCK, OP_MSYNC, OP_MINCORE,
  OP_W, OP_R, OP_FORK, OP_EXIT, OP_NOP, OP_FTRUNC, OP_FWRITE, OP_FREAD, OP_SYSREAD, OP_SYSWRITE,
};

/* File descriptors as the grammar names them. */
enum { FILE_NONE = -1, FILE_F0, FILE_F1, FILE_F2, FILE_BAD, FILES };

/* One op, as the driver sends it to a server. */
struct op {
  enum op_kind kind;
  int process;
  uint64_t address, length, new_length, new_address, offset;
  int prot, flags, advice, file;
  unsigned char byte;
  char text[LINE_MAX_BYTES]; /* without the process, for the line */
};

/* What a server answers. `error` is an errno, 0 for none; `signal` likewise. */
struct answer {
  int64_t result;
  int error, signal, code;
  long minor, major;
  unsigned char byte;
  pid_t child;
  unsigned char core[ARENA_PAGES_MAX]; /* mincore by page: 0, 1, or 2 for not mapped */
};

/* parse.c. On an error it prints file, line and word, and exits with status 1. */
extern const struct arena ARENAS[3];
struct sequence {
  unsigned long id;
  const struct arena *arena;
  struct op *ops;
  size_t count;
};
size_t parse_sequences(FILE *in, struct sequence **sequences);
bool reaches_outside(const struct op *op, const struct arena *arena);
void print_place(uint64_t address, const struct arena *arena);

/* ---- The machine of one sequence. */

struct machine {
  const struct arena *arena;
  int fds[FILES];
  /* Pipes to and from each server. */
  int to[PROCESSES_MAX][2], from[PROCESSES_MAX][2];
};

/* arena.c */
void make_files(int fds[FILES]);
void fill_address_space(const struct arena *arena);
bool move_heap(uint64_t start);
extern const unsigned FILE_SIZES[2];

/* server.c: does not return. */
void serve(const struct machine *machine, int process) __attribute__((noreturn));
void send_all(int fd, const void *bytes, size_t count);
bool receive_all(int fd, void *bytes, size_t count);

/* state.c: prints the fields of the state of process `index`, which is `pid`; the first with a comma before it. */
void print_state(pid_t pid, int index, const struct arena *arena, const unsigned char *core);
void forget_hashes(void);
void inherit_hashes(int parent, int child);
/* What this kernel lacks, or NULL. */
const char *missing_feature(void);

/* Ends the program: the machine cannot do what this program is about (status 77), or something is broken (status 70). */
void give_up(const char *what) __attribute__((noreturn));
void die(const char *what) __attribute__((noreturn));

#endif
