/* Preloaded into a process: its calls on some files fail, or kill it, as the environment says.

   FAULT_FILES  their paths, once they are open, match this extended regular expression; where a
                call is about no file, the command line does
   FAULT_CALLS  which ones count: some of "write", "sync", "fork", "thread"
   FAULT_AT     the first that fails, counted from 1
   FAULT_TIMES  how many fail from there on; none: all
   FAULT_ERROR  the errno; 0: the process is killed instead; -1: when half of it is written
   FAULT_WHILE  a file: nothing counts while it is not there; each failure writes a byte to it
   FAULT_NOTES  a file: what was written is noted there, and what was synced; see `power.py` */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TORN = -1 };
enum { NO_FILE = -1 };
enum kind { SYNCED, WRITTEN, CUT };

/* Followed by `before` bytes as they were from `offset` on, and `after` bytes as they are then. */
struct note {
    uint64_t inode, kind, offset, size, before, after;
};

static pthread_mutex_t noting = PTHREAD_MUTEX_INITIALIZER;
static regex_t files;
static int counted;

static long number(const char *name)
{
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

/* When it is needed: the environment may be given to a process after it has begun. */
static void read_pattern(void)
{
    const char *pattern = getenv("FAULT_FILES");
    if (!pattern || regcomp(&files, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        abort();
}

static ssize_t read_name(int file, char *name, size_t size)
{
    char link[64];
    if (file != NO_FILE) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        return readlink(link, name, size);
    }
    int line = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = read(line, name, size);
    close(line);
    for (ssize_t i = 0; i < length; i++)
        if (!name[i])
            name[i] = ' ';
    return length;
}

static int is_meant(int file)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char name[4096];
    pthread_once(&once, read_pattern);
    ssize_t length = read_name(file, name, sizeof name - 1);
    if (length < 0)
        return 0;
    name[length] = 0;
    return regexec(&files, name, 0, NULL, 0) == 0;
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    pause();
}

static void tell(const char *switched_on)
{
    int file = open(switched_on, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file >= 0) {
        syscall(SYS_write, file, "!", 1);
        close(file);
    }
}

/* The errno to fail with, 0, or TORN. */
static int fault(int file, const char *call)
{
    const char *calls = getenv("FAULT_CALLS"), *only_while = getenv("FAULT_WHILE");
    if (!calls || !strstr(calls, call) || !is_meant(file))
        return 0;
    if (only_while && access(only_while, F_OK) != 0)
        return 0;
    int at = number("FAULT_AT"), times = number("FAULT_TIMES");
    int now = __atomic_add_fetch(&counted, 1, __ATOMIC_SEQ_CST);
    if (at == 0 || now < at || (times && now >= at + times))
        return 0;
    if (!number("FAULT_ERROR"))
        die();
    if (only_while)
        tell(only_while);
    return number("FAULT_ERROR");
}

/* Before it is done, so that whatever is done can be undone. */
static void note(int file, enum kind kind, off_t offset, const void *content, size_t length)
{
    const char *notes = getenv("FAULT_NOTES");
    struct stat found;
    if (!notes || !is_meant(file) || fstat(file, &found) != 0)
        return;
    size_t before = kind == SYNCED ? 0 : length;
    if (kind == CUT)
        before = found.st_size - offset;
    char *line = malloc(sizeof(struct note) + before + length);
    char *old = line + sizeof(struct note);
    ssize_t read = before ? pread(file, old, before, offset) : 0;
    if (read < 0)
        read = 0; /* it is open for writing only */
    struct note *head = (struct note *)line;
    *head = (struct note){found.st_ino, kind, offset, found.st_size, read, length};
    if (length)
        memcpy(old + read, content, length);
    pthread_mutex_lock(&noting);
    int to = open(notes, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    syscall(SYS_write, to, line, sizeof(struct note) + read + length);
    close(to);
    pthread_mutex_unlock(&noting);
    free(line);
}

static int failed(int error)
{
    if (error == TORN)
        die();
    errno = error;
    return -1;
}

ssize_t pwrite64(int file, const void *content, size_t length, off64_t offset)
{
    int error = fault(file, "write");
    if (error == TORN)
        syscall(SYS_pwrite64, file, content, length / 2, offset);
    if (error)
        return failed(error);
    note(file, WRITTEN, offset, content, length);
    return syscall(SYS_pwrite64, file, content, length, offset);
}

ssize_t pwrite(int file, const void *content, size_t length, off_t offset)
{
    return pwrite64(file, content, length, offset);
}

ssize_t write(int file, const void *content, size_t length)
{
    int error = fault(file, "write");
    if (error == TORN)
        syscall(SYS_write, file, content, length / 2);
    if (error)
        return failed(error);
    off_t offset = lseek(file, 0, SEEK_CUR);
    if (offset >= 0)
        note(file, WRITTEN, offset, content, length);
    return syscall(SYS_write, file, content, length);
}

int ftruncate64(int file, off64_t size)
{
    struct stat found;
    if (fstat(file, &found) == 0 && size < found.st_size)
        note(file, CUT, size, NULL, 0);
    return syscall(SYS_ftruncate, file, size);
}

int ftruncate(int file, off_t size)
{
    return ftruncate64(file, size);
}

static int sync_by(long call, int file)
{
    int error = fault(file, "sync");
    if (error)
        return failed(error);
    int done = syscall(call, file);
    if (done == 0)
        note(file, SYNCED, 0, NULL, 0);
    return done;
}

int fsync(int file)
{
    return sync_by(SYS_fsync, file);
}

int fdatasync(int file)
{
    return sync_by(SYS_fdatasync, file);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

pid_t fork(void)
{
    int error = fault(NO_FILE, "fork");
    return error ? failed(error) : NEXT(fork)();
}

/* It must not return here and then once more from here: a copy of the process can. */
pid_t vfork(void)
{
    return fork();
}

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*function)(void *), void *given)
{
    int error = fault(NO_FILE, "thread");
    return error ? error : NEXT(pthread_create)(thread, how, function, given);
}
