/* The state of a process, seen from outside: VMAs of smaps, page states of PAGEMAP_SCAN and pagemap, hashes of what its pages hold. */
#define _GNU_SOURCE
#include "mm-host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* <linux/fs.h> of 6.7; older headers lack them. */
struct page_region_of {
  uint64_t start, end, categories;
};
struct scan {
  uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages, category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define PAGEMAP_SCAN_CALL _IOWR('f', 16, struct scan)
#define IS_FILE (1 << 2)
#define IS_PRESENT (1 << 3)
#define IS_SWAPPED (1 << 4)
#define IS_PFNZERO (1 << 5)
#define IS_HUGE (1 << 6)
/* Bit of an entry of pagemap: mapped by this one entry only. */
#define PM_MMAP_EXCLUSIVE (1UL << 56)

#define ZERO_PAGE_HASH 0x1f116dc5u

static int open_of(pid_t pid, const char *name) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) give_up("a child's /proc files cannot be read");
  return fd;
}

/* ---- VMAs. */

/* The flags that matter, as smaps names them; the others follow from protection and backing, or are the machine's. */
static const char *const FLAGS[] = {"ms", "gd", "gu", "lo", "sr", "rr", "dc", "ac", "nr", "wf", "dd", "hg", "nh"};

static bool matters(const char *flag) {
  for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++)
    if (strcmp(flag, FLAGS[i]) == 0) return true;
  return false;
}

static const char *backing_of(const char *path) {
  if (strncmp(path, "/memfd:f0", 9) == 0) return "f0";
  if (strncmp(path, "/memfd:f1", 9) == 0) return "f1";
  if (strncmp(path, "/dev/zero", 9) == 0) return "sa";
  return *path == '/' ? "?" : "-";
}

static void print_flags(char *list) {
  char *rest = NULL;
  const char *separator = "";
  for (char *flag = strtok_r(list, " \n", &rest); flag != NULL; flag = strtok_r(NULL, " \n", &rest)) {
    if (!matters(flag)) continue;
    printf("%s%s", separator, flag);
    separator = " ";
  }
}

/* VMAs with a page in the arena, cut at its ends. */
static void print_vmas(pid_t pid, const struct arena *arena) {
  FILE *const smaps = fdopen(open_of(pid, "smaps"), "r");
  const uint64_t arena_end = arena->start + arena->pages * PAGE;
  char line[512];
  bool is_inside = false;
  const char *separator = "";
  printf(",\"v\":[");
  while (smaps != NULL && fgets(line, sizeof line, smaps) != NULL) {
    uint64_t start, end, offset;
    char rights[8], path[256] = "";
    if (sscanf(line, "%lx-%lx %7s %lx %*s %*s %255[^\n]", &start, &end, rights, &offset, path) >= 4) {
      is_inside = start < arena_end && end > arena->start;
      if (!is_inside) continue;
      if (start < arena->start) {
        offset += *path == '\0' ? 0 : arena->start - start;
        start = arena->start;
      }
      if (end > arena_end) end = arena_end;
      printf("%s[%lu,%lu,\"%s\",\"%s\",%lu,\"", separator, (start - arena->start) / PAGE, (end - arena->start) / PAGE, rights,
             backing_of(path), offset / PAGE);
      separator = ",";
    } else if (is_inside && strncmp(line, "VmFlags:", 8) == 0) {
      print_flags(line + 8);
      printf("\"]");
    }
  }
  printf("]");
  if (smaps != NULL) fclose(smaps);
}

/* ---- Pages. */

static bool scan_pages(int pagemap, uint64_t start, uint64_t end, uint64_t *categories) {
  static struct page_region_of regions[ARENA_PAGES_MAX];
  struct scan scan = {
    .size = sizeof scan, .start = start, .end = end, .vec = (uint64_t)regions, .vec_len = ARENA_PAGES_MAX,
    .category_anyof_mask = IS_PRESENT | IS_SWAPPED, .return_mask = IS_FILE | IS_PRESENT | IS_SWAPPED | IS_PFNZERO | IS_HUGE,
  };
  const int count = ioctl(pagemap, PAGEMAP_SCAN_CALL, &scan);
  for (int i = 0; i < count; i++)
    for (uint64_t at = regions[i].start; at < regions[i].end; at += PAGE) categories[(at - start) / PAGE] = regions[i].categories;
  return count >= 0;
}

static char letter_of(uint64_t categories, uint64_t entry) {
  const bool is_huge = (categories & IS_HUGE) != 0;
  if ((categories & IS_PRESENT) == 0) return (categories & IS_SWAPPED) != 0 ? 's' : '.';
  if ((categories & IS_PFNZERO) != 0) return is_huge ? 'Z' : 'z';
  if ((categories & IS_FILE) != 0) return is_huge ? 'F' : 'f';
  if ((entry & PM_MMAP_EXCLUSIVE) != 0) return is_huge ? 'H' : 'A';
  return is_huge ? 'h' : 'a';
}

static void read_letters(pid_t pid, const struct arena *arena, char *letters) {
  static uint64_t categories[ARENA_PAGES_MAX], entries[ARENA_PAGES_MAX];
  const int pagemap = open_of(pid, "pagemap");
  const size_t bytes = arena->pages * sizeof *entries;
  memset(categories, 0, sizeof categories);
  if (!scan_pages(pagemap, arena->start, arena->start + arena->pages * PAGE, categories)) die("PAGEMAP_SCAN fails");
  if (pread(pagemap, entries, bytes, (off_t)(arena->start / PAGE * sizeof *entries)) != (ssize_t)bytes) die("pagemap cannot be read");
  for (unsigned page = 0; page < arena->pages; page++) letters[page] = letter_of(categories[page], entries[page]);
  close(pagemap);
}

static void print_runs(const char *name, const char *letters, unsigned count) {
  printf(",\"%s\":\"", name);
  for (unsigned start = 0, end; start < count; start = end) {
    for (end = start + 1; end < count && letters[end] == letters[start];) end++;
    if (end - start > 1) printf("%u", end - start);
    putchar(letters[start]);
  }
  putchar('"');
}

/* ---- Contents. */

/* By process and page: the hash that was printed last. */
static uint32_t known[PROCESSES_MAX][ARENA_PAGES_MAX];

void forget_hashes(void) {
  for (int i = 0; i < PROCESSES_MAX; i++)
    for (int page = 0; page < ARENA_PAGES_MAX; page++) known[i][page] = ZERO_PAGE_HASH;
}

void inherit_hashes(int parent, int child) { memcpy(known[child], known[parent], sizeof known[child]); }

/* FNV-1a over words instead of bytes. */
static uint32_t hash_of(const uint32_t *words) {
  uint32_t hash = 0x811c9dc5;
  for (size_t i = 0; i < PAGE / 4; i++) hash = (hash ^ words[i]) * 0x01000193;
  return hash;
}

/* Present pages whose hash is not the one that was printed last; a page that is not there falls back to that of zeros. */
static void print_hashes(pid_t pid, int index, const struct arena *arena, const char *letters) {
  static uint32_t words[PAGE / 4];
  const int memory = open_of(pid, "mem");
  const char *separator = ",\"d\":{";
  for (unsigned page = 0; page < arena->pages; page++) {
    uint32_t hash = ZERO_PAGE_HASH;
    const bool has_bytes = letters[page] != '.' && letters[page] != 's' && letters[page] != 'z' && letters[page] != 'Z';
    if (has_bytes) {
      if (pread(memory, words, PAGE, (off_t)(arena->start + page * PAGE)) != (ssize_t)PAGE) die("a page cannot be read");
      hash = hash_of(words);
    }
    const bool is_there = letters[page] != '.' && letters[page] != 's';
    if (is_there && hash != known[index][page]) {
      printf("%s\"%u\":\"%08x\"", separator, page, hash);
      separator = ",";
    }
    known[index][page] = hash;
  }
  if (strcmp(separator, ",") == 0) putchar('}');
  close(memory);
}

void print_state(pid_t pid, int index, const struct arena *arena, const unsigned char *core) {
  static char letters[ARENA_PAGES_MAX], cores[ARENA_PAGES_MAX];
  print_vmas(pid, arena);
  read_letters(pid, arena, letters);
  for (unsigned page = 0; page < arena->pages; page++) cores[page] = "ny-"[core[page]];
  print_runs("pg", letters, arena->pages);
  print_runs("mc", cores, arena->pages);
  print_hashes(pid, index, arena, letters);
}

/* ---- What the machine has to have. */

const char *missing_feature(void) {
  static uint64_t categories[1];
  if (sysconf(_SC_PAGESIZE) != (long)PAGE) return "pages of 4 KiB";
  void *const page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  const bool can_scan = pagemap >= 0 && scan_pages(pagemap, (uint64_t)page, (uint64_t)page + PAGE, categories);
  const bool is_empty = can_scan && categories[0] == 0;
  munmap(page, PAGE);
  if (pagemap >= 0) close(pagemap);
  return is_empty ? NULL : "PAGEMAP_SCAN of /proc/PID/pagemap (Linux 6.7 or later)";
}
