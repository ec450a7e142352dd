#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "common/log.h"
#include "common/parse.h"
#include "common/shim-protocol.h"
#include "daemon/shim/keeper.h"
#include "daemon/shim/shim-record.h"

#define TASK_PREFIX "task-"

/* The lock of a keeper that was killed may live on in a process that it was just forking. */
#define LOCK_TRIES 200
#define LOCK_PAUSE_MSEC 10

int keeper_task_path(const Keeper *k, uint64_t id, const char *name, char *buf, size_t size) {
    int n = snprintf(buf, size, "%s/" TASK_PREFIX "%" PRIu64 "%s%s", k->dir, id, name ? "/" : "",
                     strempty(name));

    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int open_dir(const char *path) {
    struct stat st;

    int r = mkdir_parents(path, 0700);
    if (r < 0)
        return r;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (st.st_uid != getuid())
        return -EPERM;
    if ((st.st_mode & 07777) != 0700 && fchmod(fd, 0700) < 0)
        return -errno;
    return TAKE_FD(fd);
}

static int lock_and_listen(Keeper *k, const char *path) {
    for (int i = 0; flock(k->dir_fd, LOCK_EX | LOCK_NB) < 0; i++) {
        if (errno != EWOULDBLOCK)
            return -errno;
        if (i == LOCK_TRIES || keeper_answers(path))
            return -EADDRINUSE;
        poll(NULL, 0, LOCK_PAUSE_MSEC);
    }
    return keeper_listen(path, &k->listen_fd);
}

static int socket_path(const Keeper *k, char buf[static PATH_MAX]) {
    return snprintf(buf, PATH_MAX, "%s/" KEEPER_SOCKET, k->dir) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

void keeper_remove_socket(const Keeper *k) {
    char path[PATH_MAX];

    if (socket_path(k, path) >= 0)
        (void)unlink(path);
}

int keeper_open_folder(Keeper *k) {
    char path[PATH_MAX];

    int r = socket_path(k, path);
    if (r < 0)
        return r;
    k->dir_fd = open_dir(k->dir);
    if (k->dir_fd < 0)
        return k->dir_fd;
    return lock_and_listen(k, path);
}

/* ---- shims of an earlier keeper ---- */

/* 0: the file's lock is free, so its shim is dead. A shim is born with the lock; its pid shows
 * within moments, see shim_record_hold(). */
static pid_t holder(int fd) {
    for (int i = 0; i < LOCK_TRIES; i++) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

        if (flock(fd, LOCK_SH | LOCK_NB) >= 0)
            return 0;
        if (fcntl(fd, F_GETLK, &lock) >= 0 && lock.l_type != F_UNLCK)
            return lock.l_pid;
        poll(NULL, 0, LOCK_PAUSE_MSEC);
    }
    return 0;
}

static int adopt_task(Keeper *k, uint64_t id) {
    char record[PATH_MAX], path[PATH_MAX];
    int pidfd = -EBADF;

    int r = keeper_task_path(k, id, SHIM_EXIT_NAME, record, sizeof(record));
    if (r >= 0)
        r = keeper_task_path(k, id, SHIM_EXIT_NEW_NAME, path, sizeof(path));
    if (r < 0)
        return r;
    if (access(record, F_OK) >= 0 || keeper_table_find(&k->table, id))
        return 0;
    _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return 0; /* no shim was made */
    r = keeper_table_reserve(&k->table);
    if (r < 0)
        return r;

    pid_t pid = holder(fd);
    if (pid > 0)
        pidfd = pidfd_open(pid, 0);
    /* With the same holder still there the pid was not given to another process meanwhile. */
    if (pidfd < 0 || holder(fd) != pid) {
        close_fd(pidfd);
        pidfd = -EBADF;
        pid = 0;
        if (access(record, F_OK) >= 0)
            return 0;
    }
    keeper_table_add(&k->table, id, pid, pidfd);
    if (pid == 0)
        k->lost_due_usec = 0;
    return 0;
}

int keeper_adopt(Keeper *k) {
    DIR *dir = opendir(k->dir);
    int r = 0;

    if (!dir)
        return -errno;
    for (struct dirent *e; r >= 0 && (e = readdir(dir));) {
        uint64_t id;
        if (strncmp(e->d_name, TASK_PREFIX, strlen(TASK_PREFIX)) == 0 &&
            parse_u64(e->d_name + strlen(TASK_PREFIX), &id) >= 0)
            r = adopt_task(k, id);
    }
    closedir(dir);
    return r;
}
