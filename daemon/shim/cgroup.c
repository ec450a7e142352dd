#include "daemon/shim/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"

/* How deep below a task's own cgroup its processes are found, one by one. What goes for all at
 * once (kill, freeze, limits) is the kernel's doing at any depth. */
#define DEPTH_MAX 32

int cgroup_write(int dir_fd, const char *file, const char *text) {
    _cleanup_close_ int fd = openat(dir_fd, file, O_WRONLY | O_CLOEXEC);

    return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int cgroup_write_u64(int dir_fd, const char *file, uint64_t value) {
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    return cgroup_write(dir_fd, file, text);
}

static int open_file(int dir_fd, const char *file, FILE **ret) {
    _cleanup_close_ int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    *ret = fdopen(fd, "re");
    if (!*ret)
        return -errno;
    (void)TAKE_FD(fd);
    return 0;
}

int cgroup_read_u64(int dir_fd, const char *file, const char *key, uint64_t *ret) {
    _cleanup_close_ int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC);
    char text[4096];

    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    if (n < 0)
        return -errno;
    text[n] = '\0';
    if (!key)
        return sscanf(text, "%" SCNu64, ret) == 1 ? 0 : -ENOENT;
    for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
        size_t len = strlen(key);
        end = strchrnul(line, '\n');
        if (strncmp(line, key, len) == 0 && line[len] == ' ' &&
            sscanf(line + len, "%" SCNu64, ret) == 1)
            return 0;
    }
    return -ENOENT;
}

/* ---- all below ---- */

typedef struct PidVector {
    pid_t *pids;
    size_t count, allocated;
} PidVector;

static int add_pids(int dir_fd, PidVector *v) {
    _cleanup_fclose_ FILE *f = NULL;
    int pid;

    int r = open_file(dir_fd, "cgroup.procs", &f);
    while (r >= 0 && fscanf(f, "%d", &pid) == 1) {
        if (v->count == v->allocated) {
            size_t n = MAX(v->allocated * 2, (size_t)64);
            pid_t *grown = realloc(v->pids, n * sizeof(pid_t));
            if (!grown)
                return -ENOMEM;
            v->pids = grown;
            v->allocated = n;
        }
        v->pids[v->count++] = pid;
    }
    return r;
}

typedef int (*Visit)(int dir_fd, const char *name, int depth, void *userdata);

/* Calls the function for each folder in a folder. */
static int for_each_below(int dir_fd, int depth, Visit visit, void *userdata) {
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (!dir) {
        r = -errno;
        close_fd(fd);
        return r;
    }
    for (struct dirent *e; r >= 0 && depth < DEPTH_MAX && (e = readdir(dir));)
        if (e->d_type == DT_DIR && e->d_name[0] != '.')
            r = visit(fd, e->d_name, depth + 1, userdata);
    closedir(dir);
    return r;
}

static int list_below(int parent_fd, const char *name, int depth, void *userdata) {
    _cleanup_close_ int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return 0; /* removed meanwhile */
    int r = add_pids(fd, userdata);
    if (r == -ENOMEM)
        return r;
    return for_each_below(fd, depth, list_below, userdata);
}

int cgroup_list(int dir_fd, pid_t **ret) {
    PidVector v = {};

    int r = list_below(dir_fd, ".", 0, &v);
    if (r < 0) {
        free(v.pids);
        return r;
    }
    *ret = v.pids;
    return (int)v.count;
}

static int remove_below(int parent_fd, const char *name, int depth, void *userdata) {
    _cleanup_close_ int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    int r = for_each_below(fd, depth, remove_below, NULL);
    if (r < 0)
        return r;
    return unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int cgroup_remove(const char *path) {
    /* As a rule there is nothing below. */
    if (rmdir(path) >= 0 || errno == ENOENT)
        return 0;
    return remove_below(AT_FDCWD, path, 0, NULL);
}
