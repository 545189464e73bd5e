/* Loaded before libc in crash tests. It keeps book of what a power cut could not take away, and can make
 * the disk fail.
 *
 * MW_SHIM_BOOK: directory. For every file written through pwrite or write whose name is that of a journal
 * segment or ends in "-wal", BOOK/<name> holds the offset through which its content is known to be synced:
 * the highest byte written before the last successful fdatasync or fsync. A sync of a file that was not
 * written since it was opened covers all of it. A write at offset 0 of a WAL begins a new generation and
 * sets the book back.
 *
 * MW_SHIM_FAULT: file. While it exists its first word says what fails for journal segments: "ENOSPC" (writes
 * and preallocation) or "EIO" (syncs). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { DESCRIPTORS = 4096 };

static long long written[DESCRIPTORS];

static const char *name_of(int fd, char *buffer, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, buffer, size - 1);
  if (length <= 0) return NULL;
  buffer[length] = 0;
  const char *slash = strrchr(buffer, '/');
  return slash ? slash + 1 : buffer;
}

static int is_wal(const char *name) {
  size_t length = strlen(name);
  return length > 4 && strcmp(name + length - 4, "-wal") == 0;
}

static int is_segment(const char *name) {
  return strncmp(name, "segment-", 8) == 0;
}

static int fails_with(const char *fault) {
  const char *path = getenv("MW_SHIM_FAULT");
  if (!path) return 0;
  char word[32] = {0};
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t length = read(fd, word, sizeof word - 1);
  close(fd);
  return length > 0 && strncmp(word, fault, strlen(fault)) == 0;
}

static void note_write(int fd, long long offset, long long count) {
  if (fd < 0 || fd >= DESCRIPTORS) return;
  char buffer[4096];
  const char *name = name_of(fd, buffer, sizeof buffer);
  if (!name || (!is_wal(name) && !is_segment(name))) return;
  if (offset == 0) written[fd] = 0;
  if (offset + count > written[fd]) written[fd] = offset + count;
}

static void note_sync(int fd) {
  const char *book = getenv("MW_SHIM_BOOK");
  if (!book || fd < 0 || fd >= DESCRIPTORS) return;
  char buffer[4096];
  const char *name = name_of(fd, buffer, sizeof buffer);
  if (!name || (!is_wal(name) && !is_segment(name))) return;
  long long through = written[fd];
  struct stat status;
  if (through == 0 && fstat(fd, &status) == 0) through = status.st_size;
  char path[8192], text[32];
  snprintf(path, sizeof path, "%s/%s", book, name);
  int length = snprintf(text, sizeof text, "%lld\n", through);
  int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (out < 0) return;
  ssize_t (*real_write)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
  if (real_write(out, text, (size_t)length) != length) abort();
  close(out);
}

static int segment_fails(int fd, const char *fault) {
  char buffer[4096];
  const char *name = name_of(fd, buffer, sizeof buffer);
  return name && is_segment(name) && fails_with(fault);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
  if (segment_fails(fd, "ENOSPC")) {
    errno = ENOSPC;
    return -1;
  }
  ssize_t done = real(fd, bytes, count, offset);
  if (done > 0) note_write(fd, offset, done);
  return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
  return pwrite64(fd, bytes, count, offset);
}

int posix_fallocate64(int fd, off64_t offset, off64_t count) {
  static int (*real)(int, off64_t, off64_t);
  if (!real) real = dlsym(RTLD_NEXT, "posix_fallocate64");
  return segment_fails(fd, "ENOSPC") ? ENOSPC : real(fd, offset, count);
}

int posix_fallocate(int fd, off_t offset, off_t count) {
  return posix_fallocate64(fd, offset, count);
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
  if (segment_fails(fd, "EIO")) {
    errno = EIO;
    return -1;
  }
  int code = real(fd);
  if (code == 0) note_sync(fd);
  return code;
}

int close(int fd) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "close");
  if (fd >= 0 && fd < DESCRIPTORS) written[fd] = 0;
  return real(fd);
}

int fsync(int fd) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fsync");
  int code = real(fd);
  if (code == 0) note_sync(fd);
  return code;
}
