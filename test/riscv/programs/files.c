/* Files in the current directory: writing, seeking, holes, appending, truncation, renaming, directories, mapping a file. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *path) {
  char *names[64];
  int count = 0;
  DIR *directory = opendir(path);
  for (struct dirent *entry; (entry = readdir(directory)) != NULL && count < 64;)
    if (entry->d_name[0] != '.') names[count++] = strdup(entry->d_name);
  closedir(directory);
  qsort(names, (size_t)count, sizeof *names, compare);
  printf("%s:", path);
  for (int i = 0; i < count; i++) printf(" %s", names[i]), free(names[i]);
  printf("\n");
}

static void descriptors(void) {
  int fd = open("work/numbers", O_RDWR | O_CREAT | O_TRUNC, 0644);
  char text[32] = "";
  struct stat status;
  printf("written %zd\n", write(fd, "0123456789", 10));
  printf("at %ld\n", (long)lseek(fd, 5000, SEEK_SET));
  printf("written %zd\n", write(fd, "end", 3));
  fstat(fd, &status);
  printf("size %ld, regular %d, mode %o, links %lu\n", (long)status.st_size, S_ISREG(status.st_mode), status.st_mode & 0777, (unsigned long)status.st_nlink);
  printf("in the hole %zd %d\n", pread(fd, text, 4, 2000), text[0]);
  lseek(fd, 3, SEEK_SET);
  printf("read %zd %.4s\n", read(fd, text, 4), text);
  printf("at %ld, from the end %ld\n", (long)lseek(fd, 0, SEEK_CUR), (long)lseek(fd, -3, SEEK_END));
  printf("behind the end %zd\n", pread(fd, text, 4, 6000));
  printf("truncated %d", ftruncate(fd, 8));
  printf(" to %ld\n", (long)lseek(fd, 0, SEEK_END));
  struct iovec parts[2] = {{"ab", 2}, {"cde", 3}};
  printf("gathered %zd\n", writev(fd, parts, 2));
  int again = dup(fd);
  printf("dup shares the place %ld\n", (long)lseek(again, 0, SEEK_CUR));
  close(fd);
  printf("closed %zd %d\n", write(fd, "x", 1), errno == EBADF);
  close(again);
  fd = open("work/numbers", O_WRONLY | O_APPEND);
  printf("appended %zd", write(fd, "!", 1));
  printf(", reading refused %zd %d\n", read(fd, text, 1), errno == EBADF);
  close(fd);
  FILE *file = fopen("work/numbers", "r");
  printf("all: '%s'\n", fgets(text, sizeof text, file));
  fclose(file);
}

static void names(void) {
  printf("mkdir %d, again %d %d\n", mkdir("work/sub", 0755), mkdir("work/sub", 0755), errno == EEXIST);
  printf("rename %d\n", rename("work/numbers", "work/sub/moved"));
  printf("gone %d %d\n", access("work/numbers", F_OK), errno == ENOENT);
  printf("symlink %d", symlink("sub/moved", "work/link"));
  char target[64];
  ssize_t length = readlink("work/link", target, sizeof target);
  printf(" to %.*s, reaches %d\n", (int)length, target, access("work/link", R_OK));
  list("work");
  list("work/sub");
  printf("rmdir %d %d\n", rmdir("work/sub"), errno == ENOTEMPTY);
  printf("not a directory %d %d\n", open("work/sub/moved/x", O_RDONLY), errno == ENOTDIR);
  printf("unlink %d %d, rmdir %d\n", unlink("work/sub/moved"), unlink("work/link"), rmdir("work/sub"));
}

static void streams(void) {
  FILE *file = fopen("work/stream", "w+");
  for (int i = 0; i < 1000; i++) fprintf(file, "line %d %d\n", i, i * i);
  rewind(file);
  long sum = 0, square;
  for (int i; fscanf(file, "line %d %ld\n", &i, &square) == 2;) sum += square - i;
  fseek(file, -12, SEEK_END);
  char line[64];
  if (fgets(line, sizeof line, file) == NULL) exit(1);
  printf("stream %ld, %ld bytes, near the end %s", sum, ftell(file) > 0 ? (fseek(file, 0, SEEK_END), ftell(file)) : 0, line);
  fclose(file);
}

static void mapped(void) {
  int fd = open("work/mapped", O_RDWR | O_CREAT, 0600);
  uint8_t block[10000];
  for (int i = 0; i < 10000; i++) block[i] = (uint8_t)(i * 7);
  if (write(fd, block, sizeof block) != sizeof block) exit(1);
  uint8_t *view = mmap(NULL, sizeof block, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (view == MAP_FAILED) exit(1);
  unsigned sum = 0;
  for (int i = 0; i < 12288; i++) sum += view[i];
  view[5000] = 200;
  pread(fd, block, 1, 5000);
  printf("mapped %u, the file keeps %d\n", sum, block[0]);
  munmap(view, sizeof block);
  close(fd);
  unlink("work/mapped");
}

int main(void) {
  mkdir("work", 0755);
  descriptors();
  names();
  streams();
  mapped();
  unlink("work/stream");
  printf("left %d\n", rmdir("work"));
  return 0;
}
