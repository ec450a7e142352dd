#include "common/fd-io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

int fd_write_full(int fd, const void *data, size_t size) {
    const char *p = data;

    while (size > 0) {
        ssize_t n = write(fd, p, size);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        p += n;
        size -= (size_t)n;
    }
    return 0;
}

int fd_read_all(int fd, size_t max, char **ret, size_t *ret_size) {
    _cleanup_free_ char *buffer = NULL;
    size_t size = 0, allocated = 0;

    for (;;) {
        if (size + 1 >= allocated) {
            /* One byte above max tells "exactly max" from "too much". */
            if (size > max)
                return -EFBIG;
            allocated = MIN(MAX(allocated * 2, (size_t)4096), max + 2);
            char *grown = realloc(buffer, allocated);
            if (!grown)
                return -ENOMEM;
            buffer = grown;
        }
        ssize_t n = read(fd, buffer + size, allocated - size - 1);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        if (n == 0)
            break;
        size += (size_t)n;
    }

    buffer[size] = '\0';
    *ret = TAKE_PTR(buffer);
    if (ret_size)
        *ret_size = size;
    return 0;
}

int file_read_all(const char *path, size_t max, char **ret, size_t *ret_size) {
    /* O_NONBLOCK: a FIFO in the file's place must not hold the caller up. */
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    return fd_read_all(fd, max, ret, ret_size);
}

int mkdir_parents(const char *path, mode_t mode) {
    char partial[PATH_MAX];
    size_t len = strlen(path);

    if (len == 0)
        return -EINVAL;
    if (len >= sizeof(partial))
        return -ENAMETOOLONG;
    /* As a rule only the last one is missing. */
    if (mkdir(path, mode) >= 0)
        return 0;

    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(partial, path, i);
        partial[i] = '\0';
        if (mkdir(partial, mode) < 0 && errno != EEXIST)
            return -errno;
    }

    struct stat st;
    if (stat(path, &st) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int memfd_new(const char *name, const void *data, size_t size) {
    _cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC);
    int r;

    if (fd < 0)
        return -errno;
    r = fd_write_full(fd, data, size);
    if (r < 0)
        return r;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    return TAKE_FD(fd);
}
