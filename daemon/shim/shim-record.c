#include "daemon/shim/shim-record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/shim-protocol.h"

_Static_assert(FIELDS_MAX <= SHIM_EXIT_RECORD_MAX, "a record has room for the largest message");

int shim_record_create(const char *path) {
    _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return -errno;
    /* Where a file system cannot do it, the record takes its chance. */
    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, FIELDS_MAX) < 0 && errno != EOPNOTSUPP)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -errno;
    return TAKE_FD(fd);
}

/* Unlike that of flock(2), this lock tells the pid, and is not inherited. */
void shim_record_hold(int fd) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    (void)fcntl(fd, F_SETLK, &lock);
}

static int write_at_start(int fd, const char *data, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(fd, data + done, size - done, (off_t)done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            return -errno;
    }
    return 0;
}

/* A limit on the size of files is for what the task writes; the log may have reached it. */
static void lift_file_size(void) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_FSIZE, &limit);
}

int shim_record_write(int fd, const char *from, const char *to, const Fields *text) {
    lift_file_size();
    int r = write_at_start(fd, text->data, text->size);
    if (r < 0)
        return r;
    if (fsync(fd) < 0 || rename(from, to) < 0)
        return -errno;
    return 0;
}
