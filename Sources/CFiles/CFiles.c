#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "CFiles.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <sys/wait.h>
#if defined(__linux__)
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#else
#include <mach-o/dyld.h>
#include <sys/clonefile.h>
#include <sys/mount.h>
#endif
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

int hrp_openat(int directory, const char *path, int flags, unsigned int mode) {
  return openat(directory, path, flags, mode);
}

int hrp_openat_direct(int directory, const char *path, int flags, unsigned int mode) {
#if defined(__linux__)
  return openat(directory, path, flags | O_DIRECT, mode);
#else
  int descriptor = openat(directory, path, flags, mode);
  if (descriptor >= 0) fcntl(descriptor, F_NOCACHE, 1);
  return descriptor;
#endif
}

int hrp_bypass_cache(int descriptor, int on) {
#if defined(__linux__)
  int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0) return -1;
  return fcntl(descriptor, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT);
#else
  return fcntl(descriptor, F_NOCACHE, on);
#endif
}

int hrp_syncfs(int descriptor) {
#if defined(__linux__)
  return syncfs(descriptor);
#else
  (void)descriptor;
  errno = ENOTSUP;
  return -1;
#endif
}

int hrp_start_writeback(int descriptor, int64_t offset, int64_t length) {
#if defined(__linux__)
  return sync_file_range(descriptor, offset, length, SYNC_FILE_RANGE_WRITE);
#else
  (void)descriptor, (void)offset, (void)length;
  return 0;
#endif
}

int hrp_wait_writeback(int descriptor, int64_t offset, int64_t length) {
#if defined(__linux__)
  return sync_file_range(descriptor, offset, length,
                         SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
#else
  (void)offset, (void)length;
  return fsync(descriptor);
#endif
}

int hrp_full_sync(int descriptor) {
#if defined(F_FULLFSYNC)
  if (fcntl(descriptor, F_FULLFSYNC) == 0) return 0;
#endif
  return fsync(descriptor);
}

int hrp_clone(int source, int directory, const char *name, unsigned int mode) {
#if defined(__linux__)
  int target = name ? openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode)
                    : openat(directory, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, mode);
  if (target < 0 || ioctl(target, FICLONE, source) == 0) return target;
#else
  char hidden[64];
  snprintf(hidden, sizeof hidden, ".hrp-clone.%d", (int)getpid());
  const char *path = name ? name : hidden;
  if (fclonefileat(source, directory, path, 0) != 0) return -1;
  int target = openat(directory, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (target >= 0 && (name ? fchmod(target, mode) : unlinkat(directory, path, 0)) == 0) return target;
  name = path;
#endif
  int error = errno;
  if (target >= 0) close(target);
  if (name) unlinkat(directory, name, 0);
  errno = error;
  return -1;
}

int hrp_drop_cache(int descriptor) {
#if defined(F_NOCACHE)
  return fcntl(descriptor, F_NOCACHE, 1);
#else
  int error = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
  if (error == 0) return 0;
  errno = error;
  return -1;
#endif
}

int hrp_rename_new(int from, const char *source, int to, const char *target) {
#if defined(__linux__)
  return renameat2(from, source, to, target, RENAME_NOREPLACE);
#else
  return renameatx_np(from, source, to, target, RENAME_EXCL);
#endif
}

int hrp_exchange(int first, const char *first_name, int second, const char *second_name) {
#if defined(__linux__)
  return renameat2(first, first_name, second, second_name, RENAME_EXCHANGE);
#else
  return renameatx_np(first, first_name, second, second_name, RENAME_SWAP);
#endif
}

int hrp_take_lock(int descriptor, int exclusive) {
  struct flock lock = {0};
  lock.l_type = exclusive ? F_WRLCK : F_RDLCK;
  lock.l_whence = SEEK_SET;
  if (fcntl(descriptor, F_SETLK, &lock) == 0) return 1;
  return errno == EACCES || errno == EAGAIN ? 0 : -1;
}

int hrp_has_other_openers(int descriptor, int kind) {
#if defined(__linux__)
  // An opener that comes while we hold the lease makes the kernel send SIGIO, whose default ends the process.
  struct sigaction action;
  if (sigaction(SIGIO, NULL, &action) == 0 && !(action.sa_flags & SA_SIGINFO) && action.sa_handler == SIG_DFL) {
    signal(SIGIO, SIG_IGN);
  }
  if (fcntl(descriptor, F_SETLEASE, kind ? F_WRLCK : F_RDLCK) == 0) {
    return fcntl(descriptor, F_SETLEASE, F_UNLCK) == 0 ? 0 : -1;
  }
  return errno == EAGAIN ? 1 : -1;
#else
  (void)descriptor, (void)kind;
  errno = ENOTSUP;
  return -1;
#endif
}

int hrp_is_local(int descriptor) {
  struct statfs status;
  if (fstatfs(descriptor, &status) != 0) return -1;
#if defined(__linux__)
  switch ((uint32_t)status.f_type) {
  case 0xEF53:      // ext4
  case 0x58465342:  // XFS
  case 0x9123683E:  // btrfs
  case 0x01021994:  // tmpfs
  case 0xF2F52010:  // F2FS
  case 0x2FC12FC1:  // ZFS
  case 0x794C7630:  // overlay
    return 1;
  default: return 0;
  }
#else
  return strcmp(status.f_fstypename, "apfs") == 0;
#endif
}

int hrp_is_mount_root(const char *path) {
#if defined(__linux__) && defined(STATX_ATTR_MOUNT_ROOT)
  struct statx status;
  if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &status) != 0) return -1;
  if (!(status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)) {
    errno = ENOTSUP;
    return -1;
  }
  return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
#else
  (void)path;
  errno = ENOTSUP;
  return -1;
#endif
}

int hrp_is_fixed(const char *path) {
#if defined(__linux__) && defined(STATX_ATTR_IMMUTABLE)
  struct statx status;
  if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &status) != 0) return -1;
  return (status.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0;
#elif defined(__APPLE__)
  struct stat status;
  if (lstat(path, &status) != 0) return -1;
  return (status.st_flags & (UF_IMMUTABLE | UF_APPEND | SF_IMMUTABLE | SF_APPEND)) != 0;
#else
  (void)path;
  return 0;
#endif
}

int hrp_punch_hole(int descriptor, int64_t offset, int64_t length) {
#if defined(__linux__)
  return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
#else
  struct fpunchhole hole = {.fp_offset = offset, .fp_length = length};
  return fcntl(descriptor, F_PUNCHHOLE, &hole);
#endif
}

int hrp_lock_holder(int descriptor, int kind, int32_t *holder) {
  struct flock query = {0};
  query.l_type = kind ? F_WRLCK : F_RDLCK;
  query.l_whence = SEEK_SET;
  if (fcntl(descriptor, F_GETLK, &query) != 0) return -1;
  if (query.l_type == F_UNLCK) return 0;
  *holder = query.l_pid;
  return 1;
}

int hrp_space(int descriptor, uint64_t *available, uint64_t *total) {
  struct statvfs space;
  if (fstatvfs(descriptor, &space) != 0) return -1;
  *available = (uint64_t)space.f_bavail * space.f_frsize;
  *total = (uint64_t)space.f_blocks * space.f_frsize;
  return 0;
}

unsigned char hrp_entry_type(const void *entry) { return ((const struct dirent *)entry)->d_type; }

#if defined(__APPLE__)
#define MODIFIED st_mtimespec
#define CHANGED st_ctimespec
#else
#define MODIFIED st_mtim
#define CHANGED st_ctim
#endif

// Nanoseconds in 64 bits reach from 1677 to 2262: a time beyond that is the nearest that can be said.
static int64_t nanoseconds(const struct timespec *time) {
  if (time->tv_sec >= INT64_MAX / 1000000000) return INT64_MAX;
  if (time->tv_sec <= INT64_MIN / 1000000000) return INT64_MIN;
  return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

int64_t hrp_modified_ns(const void *pointer) {
  const struct stat *status = pointer;
  return nanoseconds(&status->MODIFIED);
}
int64_t hrp_changed_ns(const void *pointer) {
  const struct stat *status = pointer;
  return nanoseconds(&status->CHANGED);
}

int hrp_set_modified(int descriptor, const char *path, int64_t nanoseconds) {
  int64_t seconds = nanoseconds / 1000000000, rest = nanoseconds % 1000000000;
  if (rest < 0) rest += 1000000000, seconds -= 1;
  struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = rest}};
  if (path == NULL) return futimens(descriptor, times);
  return utimensat(descriptor, path, times, AT_SYMLINK_NOFOLLOW);
}

int64_t hrp_next_data(int descriptor, int64_t offset) { return lseek(descriptor, offset, SEEK_DATA); }

int64_t hrp_attribute_names(int descriptor, char *names, int64_t size) {
#if defined(__APPLE__)
  ssize_t length = flistxattr(descriptor, names, (size_t)size, 0);
#else
  ssize_t length = flistxattr(descriptor, names, (size_t)size);
#endif
  return length < 0 && errno == ENOTSUP ? 0 : length;
}

struct thread {
  void (*body)(void *);
  void *context;
};

static void *run_thread(void *pointer) {
  struct thread thread = *(struct thread *)pointer;
  free(pointer);
  thread.body(thread.context);
  return NULL;
}

int hrp_thread_start(void (*body)(void *), void *context, uintptr_t *handle) {
  struct thread *thread = malloc(sizeof *thread);
  if (thread == NULL) return ENOMEM;
  *thread = (struct thread){.body = body, .context = context};
  pthread_t started;
  int error = pthread_create(&started, NULL, run_thread, thread);
  if (error != 0) free(thread);
  else *handle = (uintptr_t)started;
  return error;
}

void hrp_thread_join(uintptr_t thread) { pthread_join((pthread_t)thread, NULL); }

int hrp_contains(const void *bytes, int64_t count, const void *wanted, int64_t length) {
  return memmem(bytes, (size_t)count, wanted, (size_t)length) != NULL;
}

int64_t hrp_find_byte(const void *start, unsigned char byte, int64_t length) {
  const void *found = length > 0 ? memchr(start, byte, (size_t)length) : NULL;
  return found ? (const char *)found - (const char *)start : -1;
}

extern char **environ;

static int make_pipe(int ends[2]) {
#if defined(__linux__)
  return pipe2(ends, O_CLOEXEC);
#else
  if (pipe(ends) != 0) return -1;
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  return 0;
#endif
}

int hrp_start_child(const char *program, const char *arguments, int count, int errors, int is_group, int *input,
                    int *output, int32_t *pid) {
  char **list = calloc((size_t)count + 2, sizeof(char *));
  if (list == NULL) return ENOMEM;
  list[0] = (char *)program;
  for (int number = 1; number <= count; number++) {
    list[number] = (char *)arguments;
    arguments += strlen(arguments) + 1;
  }
  int in[2], out[2];
  if (make_pipe(in) != 0) return free(list), errno;
  if (make_pipe(out) != 0) {
    int error = errno;
    close(in[0]), close(in[1]), free(list);
    return error;
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  if (errors == 0) posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  if (errors == 2) posix_spawn_file_actions_adddup2(&actions, out[1], 2);
  int flags = POSIX_SPAWN_SETSIGMASK | (is_group ? POSIX_SPAWN_SETPGROUP : 0);
  // What another program left open for this one is not passed on: a pipe would stay open for as long as the child lives.
#if defined(__GLIBC__)
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
#elif defined(__APPLE__)
  flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
  if (errors == 1) posix_spawn_file_actions_addinherit_np(&actions, 2);
#endif
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, (short)flags);
  pid_t started;
  int error = posix_spawn(&started, program, &actions, &attributes, list, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(in[0]), close(out[1]), free(list);
  if (error != 0) return close(in[1]), close(out[0]), error;
  *input = in[1], *output = out[0], *pid = started;
  return 0;
}

static int end_of(int status) { return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status); }

int hrp_wait_child(int32_t pid) {
  int status;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return 255;
  }
  return end_of(status);
}

int hrp_poll_child(int32_t pid) {
  int status;
  pid_t ended = waitpid(pid, &status, WNOHANG);
  if (ended < 0) return errno == EINTR ? -1 : 255;
  return ended == 0 ? -1 : end_of(status);
}

int hrp_child_has_ended(int32_t pid) {
  siginfo_t info = {0};
  if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return errno != EINTR;
  return info.si_pid == pid;
}

void hrp_signal_child(int32_t pid, int is_group, int number) { kill(is_group ? -pid : pid, number); }

int64_t hrp_read_pipe(int descriptor, void *buffer, int64_t size, int milliseconds) {
  struct pollfd wait = {.fd = descriptor, .events = POLLIN};
  if (poll(&wait, 1, milliseconds) <= 0) return -1;
  ssize_t count = read(descriptor, buffer, (size_t)size);
  return count < 0 ? (errno == EINTR ? -1 : 0) : count;
}

int64_t hrp_write_pipe(int descriptor, const void *bytes, int64_t size) {
  sigset_t pipe, old;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &old);
  ssize_t count;
  do count = write(descriptor, bytes, (size_t)size);
  while (count < 0 && errno == EINTR);
  int error = count < 0 ? errno : 0;
  if (error == EPIPE) {
    // The signal that waits now is ours; whoever asked gets the error instead. A process that ignores it has none.
    sigset_t waiting;
    int number;
    if (sigpending(&waiting) == 0 && sigismember(&waiting, SIGPIPE)) sigwait(&pipe, &number);
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return error ? -(int64_t)error : count;
}

// Swift reads /proc/self/cmdline when it is first asked for the arguments: by then another library in this process, or
// a sandbox, may have put that out of reach. The loader gives the words to every constructor.
static int argument_count;
static char **arguments;

__attribute__((constructor)) static void note_arguments(int count, char **words) {
#if defined(__GLIBC__) || defined(__APPLE__)
  argument_count = count;
  arguments = words;
#else
  (void)count, (void)words;
#endif
}

int hrp_argument_count(void) { return argument_count; }

const char *hrp_argument(int number) { return number < argument_count ? arguments[number] : NULL; }

const char *hrp_environment_word(int number) {
  for (int index = 0; environ[index] != NULL; index++) {
    if (index == number) return environ[index];
  }
  return NULL;
}

int64_t hrp_own_path(char *buffer, int64_t size) {
#if defined(__linux__)
  return readlink("/proc/self/exe", buffer, (size_t)size);
#else
  uint32_t length = (uint32_t)size;
  return _NSGetExecutablePath(buffer, &length) == 0 ? (int64_t)strlen(buffer) : -1;
#endif
}

void hrp_prefer_large_pages(void *start, int64_t length) {
#if defined(__linux__)
  madvise(start, (size_t)length, MADV_HUGEPAGE);
#else
  (void)start, (void)length;
#endif
}

int64_t hrp_memory_limit(void) {
  int64_t least = INT64_MAX;
  const int kinds[] = {RLIMIT_AS, RLIMIT_DATA};
  for (int i = 0; i < 2; i++) {
    struct rlimit limit;
    if (getrlimit(kinds[i], &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) continue;
    if ((uint64_t)limit.rlim_cur < (uint64_t)least) least = (int64_t)limit.rlim_cur;
  }
  return least;
}

void hrp_limit_memory(int64_t bytes) {
  struct rlimit limit = {(rlim_t)bytes, (rlim_t)bytes};
  setrlimit(RLIMIT_DATA, &limit);
}

const char *hrp_descriptor_folder(void) {
#if defined(__linux__)
  return "/proc/self/fd";
#else
  return "/dev/fd";
#endif
}

int hrp_terminal_width(int descriptor) {
  struct winsize size = {0};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void *hrp_quick_hash_make(void) {
  XXH3_state_t *state = XXH3_createState();
  if (state != NULL) XXH3_128bits_reset(state);
  return state;
}

void hrp_quick_hash_free(void *state) { XXH3_freeState(state); }

void hrp_quick_hash_update(void *state, const void *bytes, int64_t count) {
  XXH3_128bits_update(state, bytes, (size_t)count);
}

void hrp_quick_hash_finish(const void *state, uint64_t hash[2]) {
  XXH128_hash_t value = XXH3_128bits_digest(state);
  hash[0] = value.low64, hash[1] = value.high64;
}

void hrp_quick_hash_of(const void *bytes, int64_t count, uint64_t hash[2]) {
  XXH128_hash_t value = XXH3_128bits(bytes, (size_t)count);
  hash[0] = value.low64, hash[1] = value.high64;
}

#if defined(__linux__)
enum { hrp_maximum_reads = 128 };

uint64_t hrp_reads_open(int capacity) {
  aio_context_t queue = 0;
  return syscall(SYS_io_setup, capacity, &queue) == 0 ? queue : 0;
}

void hrp_reads_close(uint64_t queue) { syscall(SYS_io_destroy, (aio_context_t)queue); }

int hrp_reads_run(uint64_t queue, struct hrp_read *reads, int count) {
  struct iocb blocks[hrp_maximum_reads], *list[hrp_maximum_reads];
  struct io_event events[hrp_maximum_reads];
  if (count > hrp_maximum_reads) return -1;
  memset(blocks, 0, sizeof blocks[0] * (size_t)count);
  for (int i = 0; i < count; i++) {
    blocks[i].aio_data = (uint64_t)i;
    blocks[i].aio_fildes = (uint32_t)reads[i].descriptor;
    blocks[i].aio_lio_opcode = IOCB_CMD_PREAD;
    blocks[i].aio_buf = (uint64_t)(uintptr_t)reads[i].into;
    blocks[i].aio_nbytes = (uint64_t)reads[i].size;
    list[i] = &blocks[i];
    reads[i].result = -EAGAIN;
  }
  int sent = 0, done = 0;
  // A queue that takes no more now, or a file that does not go with it, leaves the rest to be read one by one.
  while (sent < count) {
    long taken = syscall(SYS_io_submit, (aio_context_t)queue, (long)(count - sent), list + sent);
    if (taken < 0 && errno == EINTR) continue;
    if (taken <= 0) break;
    sent += (int)taken;
  }
  while (done < sent) {
    long ended = syscall(SYS_io_getevents, (aio_context_t)queue, (long)(sent - done), (long)(sent - done), events, NULL);
    if (ended < 0 && errno == EINTR) continue;
    if (ended <= 0) return -1;
    for (long i = 0; i < ended; i++) reads[events[i].data].result = events[i].res;
    done += (int)ended;
  }
  return 0;
}
#else
uint64_t hrp_reads_open(int capacity) { return 0; }
void hrp_reads_close(uint64_t queue) {}
int hrp_reads_run(uint64_t queue, struct hrp_read *reads, int count) { return -1; }
#endif
