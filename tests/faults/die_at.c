/* Preloaded into a daemon, it ends it at a certain write to, or sync of, the files of its store.

   DIE_AT=write:40    before the 40th write
   DIE_AT=torn:40     when half of the 40th write is done
   DIE_AT=sync:17     before the 17th sync, that is: in a commit
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char how[8];
static long left;

__attribute__((constructor)) static void read_environment(void)
{
    const char *at = getenv("DIE_AT");
    if (at)
        sscanf(at, "%7[a-z]:%ld", how, &left);
    unsetenv("LD_PRELOAD"); /* hosts and supervisors live on */
}

static int is_of_store(int file)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    return strstr(path, "/taskd.db") || strstr(path, "/taskd.mark");
}

static int is_the_one(int file, const char *what)
{
    return left && !strcmp(how, what) && is_of_store(file) && --left == 0;
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    pause();
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define WRITES(name, type)                                                     \
    ssize_t name(int file, const void *data, size_t size, type offset)         \
    {                                                                          \
        if (is_the_one(file, "write"))                                         \
            die();                                                             \
        if (is_the_one(file, "torn")) {                                        \
            NEXT(name)(file, data, size / 2, offset);                          \
            die();                                                             \
        }                                                                      \
        return NEXT(name)(file, data, size, offset);                           \
    }

#define SYNCS(name)                                                            \
    int name(int file)                                                         \
    {                                                                          \
        if (is_the_one(file, "sync"))                                          \
            die();                                                             \
        return NEXT(name)(file);                                               \
    }

WRITES(pwrite, off_t)
WRITES(pwrite64, off64_t)
SYNCS(fsync)
SYNCS(fdatasync)
