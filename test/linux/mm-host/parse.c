/* Sequences from text, and which ops are not executed because they would reach outside the arena. */
#define _GNU_SOURCE
#include "mm-host.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

const struct arena ARENAS[3] = {
  {"small", 's', 0x10000000000UL, 64},
  {"huge", 'h', 0xfc00000000UL, ARENA_PAGES_MAX},
  {"brk", 'b', 0xf000000000UL, 64},
};

static unsigned long line_number;

static void bad(const char *word, const char *wanted) {
  fprintf(stderr, "<stdin>:%lu: %s: must be %s\n", line_number, word == NULL ? "a word is missing" : word, wanted);
  exit(1);
}

static uint64_t number_of(const char *word) {
  char *end;
  if (word == NULL || *word < '0' || *word > '9') bad(word, "a number");
  const uint64_t value = strtoull(word, &end, 0);
  if (*end != '\0') bad(word, "a number");
  return value;
}

/* `s+0x3000`, `b-0x1`, or a number. */
static uint64_t place_of(const char *word) {
  for (size_t i = 0; word != NULL && i < 3; i++) {
    if (word[0] != ARENAS[i].letter || (word[1] != '+' && word[1] != '-')) continue;
    const uint64_t distance = number_of(word + 2);
    return word[1] == '+' ? ARENAS[i].start + distance : ARENAS[i].start - distance;
  }
  return number_of(word);
}

void print_place(uint64_t address, const struct arena *arena) {
  const int64_t distance = (int64_t)(address - arena->start);
  if (distance <= (1L << 32) && distance >= -(1L << 32))
    printf("\"%c%c0x%lx\"", arena->letter, distance < 0 ? '-' : '+', (unsigned long)(distance < 0 ? -distance : distance));
  else
    printf("\"0x%lx\"", (unsigned long)address);
}

struct name {
  const char *text;
  int value;
};

#define UNKNOWN_MAP_BIT 0x200000
#define PROT_GROWSDOWN_BIT 0x01000000
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static const struct name MAP_FLAGS[] = {
  {"-", 0}, {"p", MAP_PRIVATE}, {"s", MAP_SHARED}, {"sv", MAP_SHARED | MAP_PRIVATE}, {"a", MAP_ANONYMOUS}, {"F", MAP_FIXED},
  {"N", MAP_FIXED_NOREPLACE}, {"R", MAP_NORESERVE}, {"P", MAP_POPULATE}, {"L", MAP_LOCKED}, {"G", MAP_GROWSDOWN}, {"U", UNKNOWN_MAP_BIT},
  {NULL, 0},
};
static const struct name REMAP_FLAGS[] = {{"m", 1}, {"f", 2}, {"d", 4}, {NULL, 0}};
static const struct name PROTS[] = {{"r", PROT_READ}, {"w", PROT_WRITE}, {"x", PROT_EXEC}, {"D", PROT_GROWSDOWN_BIT}, {NULL, 0}};
static const struct name FILE_NAMES[] = {{"f0", FILE_F0}, {"f1", FILE_F1}, {"f2", FILE_F2}, {"bad", FILE_BAD}, {NULL, 0}};
static const struct name ADVICES[] = {
  {"normal", 0}, {"random", 1}, {"sequential", 2}, {"willneed", 3}, {"dontneed", 4}, {"free", 8}, {"remove", 9}, {"dontfork", 10},
  {"dofork", 11}, {"hugepage", 14}, {"nohugepage", 15}, {"dontdump", 16}, {"dodump", 17}, {"wipeonfork", 18}, {"keeponfork", 19},
  {"cold", 20}, {"pageout", 21}, {"populate_read", 22}, {"populate_write", 23}, {"collapse", 25}, {"guard_install", 102},
  {"guard_remove", 103}, {"bogus", 9999}, {NULL, 0},
};

static int named(const char *word, const struct name *names, const char *wanted) {
  for (; word != NULL && names->text != NULL; names++)
    if (strcmp(word, names->text) == 0) return names->value;
  bad(word, wanted);
  return 0;
}

/* A list with commas. */
static int listed(char *word, const struct name *names, const char *wanted) {
  int bits = 0;
  char *rest = NULL;
  if (word == NULL) bad(word, wanted);
  for (char *part = strtok_r(word, ",", &rest); part != NULL; part = strtok_r(NULL, ",", &rest)) bits |= named(part, names, wanted);
  return bits;
}

/* Letters without anything between; `-` is none. */
static int letters(const char *word, const struct name *names, const char *wanted) {
  int bits = 0;
  if (word == NULL) bad(word, wanted);
  if (strcmp(word, "-") == 0) return 0;
  for (; *word != '\0'; word++) {
    const char letter[2] = {*word, '\0'};
    bits |= named(letter, names, wanted);
  }
  return bits;
}

/* Words of each op: A address, L length, M new length, N new address, P protection, F map flags, R remap flags, V advice, D file or `-`, H file,
   O offset, B byte. */
static const struct {
  const char *name;
  enum op_kind kind;
  const char *words;
} OPS[] = {
  {"mmap", OP_MMAP, "ALPFDO"}, {"munmap", OP_MUNMAP, "AL"}, {"mprotect", OP_MPROTECT, "ALP"}, {"mremap", OP_MREMAP, "ALMRN"},
  {"brk", OP_BRK, "A"}, {"madvise", OP_MADVISE, "ALV"}, {"mlock", OP_MLOCK, "AL"}, {"munlock", OP_MUNLOCK, "AL"}, {"msync", OP_MSYNC, "AL"},
  {"mincore", OP_MINCORE, "AL"}, {"w", OP_W, "AB"}, {"r", OP_R, "A"}, {"fork", OP_FORK, ""}, {"exit", OP_EXIT, ""}, {"nop", OP_NOP, ""},
  {"ftrunc", OP_FTRUNC, "HO"}, {"fwrite", OP_FWRITE, "HOB"}, {"fread", OP_FREAD, "HO"}, {"sysread", OP_SYSREAD, "HOAL"},
  {"syswrite", OP_SYSWRITE, "HOAL"},
};

static void parse_word(struct op *op, char kind, char *word) {
  switch (kind) {
    case 'A': op->address = place_of(word); break;
    case 'L': op->length = number_of(word); break;
    case 'M': op->new_length = number_of(word); break;
    case 'N': op->new_address = place_of(word); break;
    case 'P': op->prot = letters(word, PROTS, "- or letters of rwxD"); break;
    case 'F': op->flags = listed(word, MAP_FLAGS, "map flags"); break;
    case 'R': op->flags = letters(word, REMAP_FLAGS, "- or letters of mfd"); break;
    case 'V': op->advice = named(word, ADVICES, "an advice"); break;
    case 'D': op->file = word != NULL && strcmp(word, "-") == 0 ? FILE_NONE : named(word, FILE_NAMES, "- or a file"); break;
    case 'H': op->file = named(word, FILE_NAMES, "a file"); break;
    case 'O': op->offset = number_of(word); break;
    default: op->byte = (unsigned char)number_of(word);
  }
}

static struct op parse_op(char *line) {
  struct op op = {.process = 0};
  char *rest = NULL;
  char *word = strtok_r(line, " ", &rest);
  if (word[0] == '@') {
    op.process = (int)number_of(word + 1);
    if (op.process >= PROCESSES_MAX) bad(word, "a process from @0 to @3");
    word = strtok_r(NULL, " ", &rest);
  }
  for (size_t i = 0; word != NULL && i < sizeof OPS / sizeof *OPS; i++) {
    if (strcmp(word, OPS[i].name) != 0) continue;
    op.kind = OPS[i].kind;
    snprintf(op.text, sizeof op.text, "%s%s%s", word, *rest == '\0' ? "" : " ", rest);
    for (const char *kind = OPS[i].words; *kind != '\0'; kind++) parse_word(&op, *kind, strtok_r(NULL, " ", &rest));
    if (strtok_r(NULL, " ", &rest) != NULL) bad(op.text, "without further words");
    return op;
  }
  bad(word, "an op");
  return op;
}

static struct sequence parse_begin(const char *line) {
  struct sequence sequence = {.id = 0};
  char mode[16];
  if (sscanf(line, "seq %lu %15s", &sequence.id, mode) != 2) bad(line, "seq, a number and a mode");
  for (size_t i = 0; i < 3; i++)
    if (strcmp(mode, ARENAS[i].mode) == 0) sequence.arena = &ARENAS[i];
  if (sequence.arena == NULL) bad(mode, "small, huge or brk");
  return sequence;
}

static void *grown(void *array, size_t count, size_t size) {
  if ((count & (count + 1)) != 0) return array; /* room for one below each power of two */
  void *larger = realloc(array, (2 * count + 2) * size);
  if (larger == NULL) die("out of memory");
  return larger;
}

size_t parse_sequences(FILE *in, struct sequence **sequences) {
  char line[LINE_MAX_BYTES];
  size_t count = 0;
  for (line_number = 1; fgets(line, sizeof line, in) != NULL; line_number++) {
    if (strchr(line, '\n') == NULL && !feof(in)) bad("a line", "shorter");
    line[strcspn(line, "#\r\n")] = '\0';
    char *start = line + strspn(line, " ");
    for (size_t end = strlen(start); end > 0 && start[end - 1] == ' '; end--) start[end - 1] = '\0';
    if (*start == '\0') continue;
    if (strncmp(start, "seq ", 4) == 0) {
      *sequences = grown(*sequences, count, sizeof **sequences);
      (*sequences)[count++] = parse_begin(start);
      continue;
    }
    if (count == 0) bad(start, "behind a line such as seq 0 small");
    struct sequence *current = &(*sequences)[count - 1];
    current->ops = grown(current->ops, current->count, sizeof *current->ops);
    current->ops[current->count++] = parse_op(start);
  }
  return count;
}

/* ---- The same rule as traces/sequences/reach.ts. */

#define USER_BYTES (1UL << 47)

static bool are_bytes_outside(uint64_t address, unsigned __int128 length, const struct arena *arena) {
  return address < arena->start || address + length > (unsigned __int128)arena->start + arena->pages * PAGE;
}

static bool is_outside(uint64_t address, uint64_t length, const struct arena *arena) {
  const unsigned __int128 rounded = ((unsigned __int128)length + PAGE - 1) / PAGE * PAGE;
  return (address + rounded) >> 64 == 0 && are_bytes_outside(address, rounded, arena);
}

bool reaches_outside(const struct op *op, const struct arena *arena) {
  switch (op->kind) {
    case OP_MMAP:
      return (op->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0 && op->length < USER_BYTES && is_outside(op->address, op->length, arena);
    case OP_MUNMAP:
      return op->length < USER_BYTES && is_outside(op->address, op->length, arena);
    case OP_MREMAP:
      return is_outside(op->address, op->length, arena) ||
             ((op->flags & 2) != 0 && op->new_length < USER_BYTES && is_outside(op->new_address, op->new_length, arena));
    case OP_MPROTECT:
    case OP_MADVISE:
    case OP_MLOCK:
    case OP_MUNLOCK:
    case OP_MSYNC:
    case OP_MINCORE:
      return is_outside(op->address, op->length, arena);
    case OP_SYSREAD:
    case OP_SYSWRITE:
      return are_bytes_outside(op->address, op->length, arena);
    case OP_W:
    case OP_R:
      return are_bytes_outside(op->address, 1, arena);
    case OP_BRK:
      return arena->letter != 'b';
    default:
      return false;
  }
}
