/* What makes a run repeatable: files of known bytes, a heap in the arena, and no free address outside it. */
#define _GNU_SOURCE
#include "mm-host.h"

#include <fcntl.h>
#include <linux/prctl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

const unsigned FILE_SIZES[2] = {5 * PAGE + 0x123, 3 * PAGE};

#define LOWEST 0x10000UL
#if defined(__x86_64__)
#define USER_END 0x7ffffffff000UL
#else
#define USER_END (1UL << 48)
#endif
#define BAD_FD 999

/* Files are written page by page, so that their folios are of one page each. */
void make_files(int fds[FILES]) {
  static const char *const names[2] = {"f0", "f1"};
  for (unsigned file = 0; file < 2; file++) {
    unsigned char page[PAGE];
    fds[file] = memfd_create(names[file], 0);
    if (fds[file] < 0) give_up("memfd_create fails");
    for (unsigned at = 0; at < FILE_SIZES[file]; at += PAGE) {
      const unsigned count = FILE_SIZES[file] - at < PAGE ? FILE_SIZES[file] - at : PAGE;
      for (unsigned i = 0; i < count; i++) page[i] = (unsigned char)(1 + file * 101 + at / PAGE * 31 + i * 7);
      if (pwrite(fds[file], page, count, at) != (ssize_t)count) die("a file cannot be written");
    }
  }
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fds[FILE_F1]);
  fds[FILE_F2] = open(path, O_RDONLY);
  if (fds[FILE_F2] < 0) give_up("a file in memory cannot be opened again (/proc is missing?)");
  fds[FILE_BAD] = BAD_FD;
}

/* PR_SET_MM_MAP sets many fields at once; only the heap's matter, the others must merely be addresses in order. */
bool move_heap(uint64_t start) {
  struct prctl_mm_map map = {
    .start_code = LOWEST, .end_code = LOWEST + PAGE, .start_data = LOWEST, .end_data = LOWEST + PAGE, .start_brk = start, .brk = start,
    .start_stack = LOWEST, .arg_start = LOWEST, .arg_end = LOWEST, .env_start = LOWEST, .env_end = LOWEST, .exe_fd = (uint32_t)-1,
  };
  return prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0) == 0;
}

static void fill(uint64_t start, uint64_t end) {
  if (start >= end) return;
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE;
  if (mmap((void *)start, end - start, PROT_NONE, flags, -1, 0) != (void *)start) die("the address space cannot be filled");
}

/* Fills [start, end), but not the arena. */
static void fill_around(uint64_t start, uint64_t end, const struct arena *arena) {
  const uint64_t arena_end = arena->start + arena->pages * PAGE;
  fill(start, end < arena->start ? end : arena->start);
  fill(start > arena_end ? start : arena_end, end);
}

/* Maps inaccessible memory wherever nothing is mapped, the arena excepted. Reads the map first: filling changes it. */
void fill_address_space(const struct arena *arena) {
  static char text[65536];
  static uint64_t bounds[512][2];
  const int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  size_t length = 0, count = 0;
  for (ssize_t n; fd >= 0 && (n = read(fd, text + length, sizeof text - 1 - length)) > 0;) length += (size_t)n;
  if (length == 0) give_up("/proc/self/maps cannot be read");
  close(fd);
  for (char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
    if (count == 512) die("too many mappings");
    if (sscanf(line, "%lx-%lx", &bounds[count][0], &bounds[count][1]) == 2) count++;
  }
  uint64_t at = LOWEST;
  for (size_t i = 0; i < count; i++) {
    if (bounds[i][0] >= USER_END) break; /* the vsyscall page */
    fill_around(at, bounds[i][0], arena);
    at = bounds[i][1];
  }
  fill_around(at, USER_END, arena);
}
