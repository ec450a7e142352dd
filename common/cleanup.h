#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Ownership that shows: a variable marked _cleanup_ owns what it holds until TAKE_PTR() or
 * TAKE_FD() hands it on. */

#define _cleanup_(func) __attribute__((cleanup(func)))

#define TAKE_PTR(ptr)                                                                              \
    ({                                                                                             \
        typeof(ptr) *_pptr = &(ptr);                                                               \
        typeof(ptr) _taken = *_pptr;                                                               \
        *_pptr = NULL;                                                                             \
        _taken;                                                                                    \
    })

#define TAKE_FD(fd)                                                                                \
    ({                                                                                             \
        int *_pfd = &(fd);                                                                         \
        int _taken = *_pfd;                                                                        \
        *_pfd = -EBADF;                                                                            \
        _taken;                                                                                    \
    })

/* Defines funcp() for _cleanup_(), from a NULL-safe destructor that returns NULL. */
#define DEFINE_CLEANUP(type, func)                                                                 \
    static inline void func##p(type *p) {                                                          \
        *p = func(*p);                                                                             \
    }

static inline void freep(void *p) {
    free(*(void **)p);
}

/* Closes the descriptor if it is one, leaves errno alone, and gives back -EBADF to store. */
static inline int close_fd(int fd) {
    if (fd >= 0) {
        int saved = errno;
        close(fd);
        errno = saved;
    }
    return -EBADF;
}

static inline void close_fdp(int *fd) {
    *fd = close_fd(*fd);
}

static inline void fclosep(FILE **f) {
    if (*f)
        fclose(*f);
}

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(close_fdp)
#define _cleanup_fclose_ _cleanup_(fclosep)
