/* Files as a program sees them: structures, offsets, sparse files, directories that change while they are read, errors. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static void say(const char *what, long result) { printf("%s %ld %s\n", what, result, result < 0 ? strerror(errno) : "ok"); }

int main(void) {
  char bytes[64] = {0};
  mkdir("work", 0755);
  chdir("work");
  umask(027);
  int fd = open("a", O_RDWR | O_CREAT | O_EXCL, 0666);
  struct stat s;
  fstat(fd, &s);
  printf("mode %o links %d size %ld\n", s.st_mode, (int)s.st_nlink, (long)s.st_size);
  say("pwrite", pwrite(fd, "end", 3, 10000));
  fstat(fd, &s);
  printf("size %ld position %ld\n", (long)s.st_size, (long)lseek(fd, 0, SEEK_CUR));
  say("pread of a hole", pread(fd, bytes, 8, 9996));
  printf("bytes %d %d %c%c%c\n", bytes[0], bytes[3], bytes[4], bytes[5], bytes[6]);
  say("lseek past the end", lseek(fd, 20000, SEEK_SET));
  say("read past the end", read(fd, bytes, 8));
  say("lseek before the start", lseek(fd, -1, SEEK_SET));
  say("ftruncate", ftruncate(fd, 10001));
  say("ftruncate up", ftruncate(fd, 10003));
  pread(fd, bytes, 3, 10000);
  printf("tail %c %d %d\n", bytes[0], bytes[1], bytes[2]);
  say("exclusive", open("a", O_CREAT | O_EXCL | O_RDWR, 0644));
  int appended = open("log", O_WRONLY | O_CREAT | O_APPEND, 0644);
  write(appended, "one", 3);
  lseek(appended, 0, SEEK_SET);
  write(appended, "two", 3);
  struct iovec in[] = {{"thr", 3}, {"ee", 2}, {"", 0}};
  say("writev", writev(appended, in, 3));
  int reader = open("log", O_RDONLY);
  char left[5], right[20];
  struct iovec out[] = {{left, sizeof left}, {right, sizeof right}};
  say("readv", readv(reader, out, 2));
  printf("%.5s|%.6s\n", left, right);
  say("write to a reader", write(reader, "x", 1));
  say("read from a writer", read(appended, bytes, 1));
  off_t offset = 3;
  int target = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0600);
  long sent = sendfile(target, reader, &offset, 5);
  printf("sendfile %ld offset %ld position %ld\n", sent, (long)offset, (long)lseek(reader, 0, SEEK_CUR));
  say("bad address", write(target, (void *)8, 4));
  say("bad path", open((void *)8, O_RDONLY));

  /* Names. */
  say("link", link("log", "hard"));
  stat("hard", &s);
  printf("links %d\n", (int)s.st_nlink);
  say("symlink", symlink("log", "soft"));
  say("readlink", readlink("soft", bytes, 2));
  lstat("soft", &s);
  printf("symlink size %ld type %o\n", (long)s.st_size, s.st_mode >> 12);
  say("open without following", open("soft", O_RDONLY | O_NOFOLLOW));
  symlink("loop", "loop");
  say("loop", open("loop", O_RDONLY));
  say("mkdir", mkdir("dir", 0777));
  stat("dir", &s);
  printf("directory mode %o links %d\n", s.st_mode, (int)s.st_nlink);
  say("mkdir again", mkdir("dir", 0777));
  say("unlink a directory", unlink("dir"));
  say("rmdir a file", rmdir("log"));
  say("through a file", open("log/x", O_RDONLY));
  say("slash behind a file", open("log/", O_RDONLY));
  say("write a directory", open("dir", O_WRONLY));
  say("directory wanted", open("log", O_RDONLY | O_DIRECTORY));
  say("create in dir", close(open("dir/inside", O_CREAT | O_WRONLY, 0644)));
  say("rmdir of a full one", rmdir("dir"));
  say("rename over a full one", (mkdir("other", 0755), rename("other", "dir")));
  say("rename into itself", rename("dir", "dir/inside2"));
  say("rename file over directory", rename("log", "other"));
  say("rename directory over file", rename("other", "log"));
  say("rename to a hard link", rename("log", "hard"));
  say("still there", access("log", F_OK));
  say("rename", rename("log", "moved"));
  say("gone", access("log", F_OK));
  char long_name[300];
  memset(long_name, 'n', 299);
  long_name[299] = 0;
  say("long name", open(long_name, O_CREAT | O_WRONLY, 0644));
  int dir = open("dir", O_RDONLY | O_DIRECTORY);
  say("openat", openat(dir, "inside", O_RDONLY) >= 0 ? 0 : -1);
  say("faccessat", faccessat(dir, "nothing", F_OK, 0));
  say("fchdir", fchdir(dir));
  char *cwd = getcwd(0, 0);
  printf("cwd ends in %s\n", strrchr(cwd, '/'));
  say("rmdir of where we are", (unlink("inside"), rmdir("../dir")));
  say("getcwd there", getcwd(bytes, sizeof bytes) ? 0 : -1);
  say("create there", open("x", O_CREAT | O_WRONLY, 0644));
  say("back", chdir(".."));

  /* Every name once, though names are removed while reading. */
  mkdir("many", 0755);
  for (int i = 0; i < 300; i++) {
    snprintf(bytes, sizeof bytes, "many/file%03d", i);
    close(open(bytes, O_CREAT | O_WRONLY, 0644));
  }
  DIR *d = opendir("many");
  struct dirent *e;
  int count = 0, types = 0;
  while ((e = readdir(d)) != 0) {
    if (e->d_name[0] == '.') continue;
    types += e->d_type == DT_REG;
    snprintf(bytes, sizeof bytes, "many/%s", e->d_name);
    count += unlink(bytes) == 0;
  }
  printf("removed %d of type %d\n", count, types);
  rewinddir(d);
  for (count = 0; (e = readdir(d)) != 0;) count++;
  printf("left %d\n", count);
  closedir(d);

  /* Attributes. */
  struct timespec times[2] = {{1000000000, 5}, {0, UTIME_OMIT}};
  fstat(fd, &s);
  long before = s.st_mtime;
  say("utimensat", utimensat(AT_FDCWD, "a", times, 0));
  stat("a", &s);
  printf("atime %ld.%ld mtime kept %d\n", (long)s.st_atime, (long)s.st_atim.tv_nsec, s.st_mtime == before);
  say("chmod", chmod("a", 04711));
  stat("a", &s);
  printf("mode %o\n", s.st_mode);
  say("truncate", truncate("a", 5));
  say("truncate a directory", truncate("many", 5));
  say("mkfifo", mkfifo("fifo", 0600));
  say("no reader", open("fifo", O_WRONLY | O_NONBLOCK));
  stat("/dev/null", &s);
  printf("null %o %lx\n", s.st_mode & S_IFMT, (long)s.st_rdev);
  int zero = open("/dev/zero", O_RDONLY), full = open("/dev/full", O_WRONLY);
  memset(bytes, 1, 8);
  say("zero", read(zero, bytes, 8));
  say("full", write(full, "x", 1));
  printf("%d\n", bytes[7]);
  struct utsname u;
  say("uname", uname(&u));
  printf("%s\n", u.sysname);
  struct sysinfo info;
  say("sysinfo", sysinfo(&info));
  printf("unit %u\n", info.mem_unit);

  /* Locks belong to open file descriptions. */
  int one = open("a", O_RDONLY), two = open("a", O_RDONLY), same = dup(one);
  say("lock", flock(one, LOCK_EX));
  say("again", flock(same, LOCK_EX | LOCK_NB));
  say("other", flock(two, LOCK_SH | LOCK_NB));
  close(one);
  say("still", flock(two, LOCK_SH | LOCK_NB));
  close(same);
  say("now", flock(two, LOCK_SH | LOCK_NB));

  /* A mapped file. */
  fd = open("mapped", O_RDWR | O_CREAT, 0644);
  for (int i = 0; i < 5000; i++) write(fd, "0123456789" + i % 10, 1);
  char *map = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  printf("map %c %c %d\n", map[0], map[4999], map[5000]);
  map[0] = 'X';
  pread(fd, bytes, 1, 0);
  printf("private %c %c\n", map[0], bytes[0]);
  return 0;
}
