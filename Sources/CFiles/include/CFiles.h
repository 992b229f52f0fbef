// The system calls that Swift cannot reach: variadic ones, and ones behind feature macros.
// Each function returns what the C function returns and leaves errno as it left it.
#pragma once

// No header of the system but this one: its types would come to Swift from here as well as from the C library.
#include <stdint.h>

int hrp_openat(int directory, const char *path, int flags, unsigned int mode);
/// The same, past the page cache from the start. Linux: O_DIRECT. macOS: F_NOCACHE.
int hrp_openat_direct(int directory, const char *path, int flags, unsigned int mode);
/// Past the page cache from now on (1), or through it again (0). Linux: O_DIRECT. macOS: F_NOCACHE.
int hrp_bypass_cache(int descriptor, int on);
/// Flushes everything of the file system that holds the descriptor. Linux: syncfs. Elsewhere: ENOTSUP.
int hrp_syncfs(int descriptor);
/// Starts writing a range back without waiting. Linux: sync_file_range. Elsewhere: 0, nothing done.
int hrp_start_writeback(int descriptor, int64_t offset, int64_t length);
/// Waits until a range whose writing was started is on its way out of memory. Linux: sync_file_range.
int hrp_wait_writeback(int descriptor, int64_t offset, int64_t length);
/// fsync that also empties the drive's cache. macOS: F_FULLFSYNC, else fsync.
int hrp_full_sync(int descriptor);
/// Makes a clone of a file in a directory and returns its descriptor, open for reading and writing; `name` NULL: one
/// without a name. Linux: FICLONE, O_TMPFILE. macOS: fclonefileat.
int hrp_clone(int source, int directory, const char *name, unsigned int mode);
/// Forgets the cached pages of a file. Linux: POSIX_FADV_DONTNEED. macOS: F_NOCACHE for what is read next.
int hrp_drop_cache(int descriptor);
/// Renames and refuses to replace. Linux: renameat2(RENAME_NOREPLACE). macOS: renameatx_np(RENAME_EXCL).
int hrp_rename_new(int from, const char *source, int to, const char *target);
/// Exchanges two names. Linux: renameat2(RENAME_EXCHANGE). macOS: renameatx_np(RENAME_SWAP).
int hrp_exchange(int first, const char *first_name, int second, const char *second_name);
/// Takes the write lock of the whole file that DuckDB takes: 1, or 0 when somebody holds one, -1 on error.
int hrp_take_lock(int descriptor, int exclusive);
/// Whether somebody else has the file open: for writing (`kind` 0), or at all (`kind` 1). It takes a lease and gives it back
/// at once, which the kernel grants only when nobody has. 1, 0, or -1 on error: EACCES (neither owner nor CAP_LEASE),
/// EINVAL (no leases here). Linux: fcntl(F_SETLEASE). Elsewhere: ENOTSUP.
int hrp_has_other_openers(int descriptor, int kind);
/// Whether the file system is one that only this kernel writes to, and that moves a file's modification time with every
/// write in steps below 20 ms: 1 or 0, -1 on error. Linux: fstatfs. macOS: APFS.
int hrp_is_local(int descriptor);
/// Whether something is mounted at a path itself, also a single file: 1 or 0, -1 when this kernel cannot say or on error.
/// Linux: statx(STATX_ATTR_MOUNT_ROOT).
int hrp_is_mount_root(const char *path);
/// Whether a flag forbids to rename or remove a file; -1: errno says why that cannot be told.
int hrp_is_fixed(const char *path);
/// Makes a hole. Linux: fallocate(PUNCH_HOLE|KEEP_SIZE). macOS: F_PUNCHHOLE.
int hrp_punch_hole(int descriptor, int64_t offset, int64_t length);
/// Asks who would refuse a lock of the whole file; `kind` 0 = a read lock, 1 = a write lock.
/// Returns 1 and the PID (0: in another container) when there is such a holder, 0 when there is none, -1 on error.
int hrp_lock_holder(int descriptor, int kind, int32_t *holder);
/// Free bytes for an ordinary user, and the file system's size in bytes.
int hrp_space(int descriptor, uint64_t *available, uint64_t *total);
/// The type of a `struct dirent` as a DT_ constant; DT_UNKNOWN where the file system does not say.
unsigned char hrp_entry_type(const void *entry);
/// Nanoseconds since 1970 of the times of a `struct stat`.
int64_t hrp_modified_ns(const void *status);
int64_t hrp_changed_ns(const void *status);
/// Sets the modification time; `path` NULL: of the descriptor itself; a link is not followed.
int hrp_set_modified(int descriptor, const char *path, int64_t nanoseconds);
/// SEEK_DATA: the next offset that holds data, or -1 (ENXIO: none).
int64_t hrp_next_data(int descriptor, int64_t offset);
/// The names of a file's extended attributes, each ended by a NUL: their length; 0 where there are none.
int64_t hrp_attribute_names(int descriptor, char *names, int64_t size);
/// Whether bytes stand somewhere in others.
int hrp_contains(const void *bytes, int64_t count, const void *wanted, int64_t length);
/// Runs a function on a thread of its own; 0, or an error number.
int hrp_thread_start(void (*body)(void *), void *context, uintptr_t *thread);
/// Waits until a thread's function has returned.
void hrp_thread_join(uintptr_t thread);
/// The place of a byte in memory; -1: it is not there.
int64_t hrp_find_byte(const void *start, unsigned char byte, int64_t length);
/// Starts a program with so many arguments, each ended by a NUL, and pipes for its streams 0 and 1. What it says on
/// stream 2 is dropped (0), goes where this process's goes (1), or comes with stream 1 (2). It gets no other descriptor
/// and blocks no signal; with `is_group` it is the first process of a new group. 0, or an error number.
int hrp_start_child(const char *program, const char *arguments, int count, int errors, int is_group, int *input,
                    int *output, int32_t *pid);
/// Waits for a child: its exit code, or 1000 and the number of the signal that ended it.
int hrp_wait_child(int32_t pid);
/// The same without waiting; -1 while it runs.
int hrp_poll_child(int32_t pid);
/// Whether a child has ended; it can still be waited for, and its number is no other process's.
int hrp_child_has_ended(int32_t pid);
/// Sends a signal to a child, or to the whole group that it is the first process of.
void hrp_signal_child(int32_t pid, int is_group, int number);
/// Reads what there is: bytes; 0 at the end or on an error; -1 when nothing came in so many milliseconds.
int64_t hrp_read_pipe(int descriptor, void *buffer, int64_t size, int milliseconds);
/// Writes without the signal that a reader who has gone would cause: bytes, or an error number below zero.
int64_t hrp_write_pipe(int descriptor, const void *bytes, int64_t size);
/// How many words the command line of this process has, as the kernel gave them at its start. 0: the C library did not say.
int hrp_argument_count(void);
/// One of these words; NULL: there are not so many.
const char *hrp_argument(int number);
/// One of the words `NAME=value` of the environment; NULL: there are not so many.
const char *hrp_environment_word(int number);
/// The path of the running program; its length, or -1.
int64_t hrp_own_path(char *buffer, int64_t size);
/// Asks for large pages of memory, where the system has them; a wish, never an error.
void hrp_prefer_large_pages(void *start, int64_t length);
/// Columns of the terminal that a descriptor is; 0: it is none, or does not say.
int hrp_terminal_width(int descriptor);
/// Bytes of memory that this process may take for itself; the largest number: nothing limits it.
int64_t hrp_memory_limit(void);
/// Limits the memory that this process may take for itself, where the system knows such a limit.
void hrp_limit_memory(int64_t bytes);
/// Where directories of descriptors of this process are listed.
const char *hrp_descriptor_folder(void);

/// A state that takes bytes for a hash of 128 bits (XXH3); NULL: there is no memory for it.
void *hrp_quick_hash_make(void);
void hrp_quick_hash_free(void *state);
void hrp_quick_hash_update(void *state, const void *bytes, int64_t count);
/// The hash of what a state took: its low and its high half.
void hrp_quick_hash_finish(const void *state, uint64_t hash[2]);
/// The hash of bytes that are all there.
void hrp_quick_hash_of(const void *bytes, int64_t count, uint64_t hash[2]);

/// One of many reads: `size` bytes from the start of a file; `result` is the count of bytes, or an error number below 0.
struct hrp_read {
  int32_t descriptor;
  void *into;
  int64_t size;
  int64_t result;
};
/// A queue of the kernel for at most so many reads at once; 0: there is none here. Linux: io_setup. Elsewhere: 0.
uint64_t hrp_reads_open(int capacity);
void hrp_reads_close(uint64_t queue);
/// Does all reads and waits for them: 0; or -1: `result` says nothing, and the queue must be closed before the memory that
/// was read into is used again. At most 128 reads. Linux: io_submit, io_getevents.
int hrp_reads_run(uint64_t queue, struct hrp_read *reads, int count);
