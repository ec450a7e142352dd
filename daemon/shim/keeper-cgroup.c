#include "daemon/shim/keeper-cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "daemon/shim/cgroup.h"

#define PROC_FILE_MAX (4 * MIB)
#define OWN_NAME "keeper"
#define TRIAL_NAME "keeper-trial"

/* ---- where it is ---- */

/* The path behind "0::", as seen from the root of our cgroup namespace. */
static int find_own(const char *cgroup, const char **ret, size_t *ret_size) {
    for (const char *line = cgroup, *end; *line; line = *end ? end + 1 : end) {
        end = strchrnul(line, '\n');
        if (strncmp(line, "0::/", 4) != 0)
            continue;
        *ret = line + 3;
        *ret_size = (size_t)(end - line) - 3;
        return 0;
    }
    return -ENOENT;
}

/* Undoes the escapes \040 and the like in place. */
static void unescape(char *s) {
    char *to = s;

    for (; *s; s++)
        if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
            s[3] >= '0' && s[3] <= '7') {
            *to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
            s += 3;
        } else {
            *to++ = *s;
        }
    *to = '\0';
}

/* One line of mountinfo, see proc(5): "31 23 0:28 / /sys/fs/cgroup rw … - cgroup2 cgroup2 rw". The
 * mount may show a part of the hierarchy alone. */
static bool resolve(char *line, const char *own, size_t own_size, char *buf, size_t size) {
    char root[PATH_MAX], where[PATH_MAX];
    const char *type = strstr(line, " - ");

    if (!type || strncmp(type, " - cgroup2 ", 11) != 0 ||
        sscanf(line, "%*d %*d %*s %4095s %4095s", root, where) != 2)
        return false;
    unescape(root);
    unescape(where);
    size_t skip = streq(root, "/") ? 0 : strlen(root);
    if (skip > own_size || strncmp(root, own, skip) != 0 || (skip < own_size && own[skip] != '/'))
        return false;
    int n = snprintf(buf, size, "%s%.*s", where, (int)(own_size - skip), own + skip);
    return n > 0 && (size_t)n < size;
}

int keeper_cgroup_find(const char *cgroup, const char *mountinfo, char *buf, size_t size) {
    const char *own;
    size_t own_size;

    int r = find_own(cgroup, &own, &own_size);
    if (r < 0)
        return r;
    if (own_size == 1)
        own_size = 0; /* the root */
    /* Later mounts lie over earlier ones. */
    r = -ENOENT;
    for (const char *line = mountinfo, *end; *line; line = *end ? end + 1 : end) {
        end = strchrnul(line, '\n');
        _cleanup_free_ char *copy = strndup(line, (size_t)(end - line));
        if (!copy)
            return -ENOMEM;
        if (resolve(copy, own, own_size, buf, size))
            r = 0;
    }
    return r;
}

static int find(char *buf, size_t size) {
    _cleanup_free_ char *cgroup = NULL, *mountinfo = NULL;

    int r = file_read_all("/proc/self/cgroup", PROC_FILE_MAX, &cgroup, NULL);
    if (r < 0)
        return r;
    r = file_read_all("/proc/self/mountinfo", PROC_FILE_MAX, &mountinfo, NULL);
    if (r < 0)
        return r;
    return keeper_cgroup_find(cgroup, mountinfo, buf, size);
}

/* ---- making it ready ---- */

static int make_below(const KeeperCgroup *c, const char *name, int *ret_fd) {
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s", c->path, name) >= PATH_MAX)
        return -ENAMETOOLONG;
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return -errno;
    *ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret_fd < 0 ? -errno : 0;
}

/* A cgroup that has controllers for those below it must have no processes itself. */
static int move_aside(const KeeperCgroup *c) {
    _cleanup_close_ int fd = -EBADF;
    int r = make_below(c, OWN_NAME, &fd);

    return r < 0 ? r : cgroup_write(fd, "cgroup.procs", "0");
}

/* Which of them there are is up to the machine; each is of use without the others. */
static void enable_controllers(KeeperCgroup *c, int dir_fd) {
    static const struct {
        const char *name, *order;
    } wanted[] = {{"cpu", "+cpu"}, {"memory", "+memory"}, {"pids", "+pids"}};

    for (size_t i = 0; i < ELEMENTSOF(wanted); i++)
        if (cgroup_write(dir_fd, "cgroup.subtree_control", wanted[i].order) >= 0) {
            if (c->controllers[0])
                strcat(c->controllers, " ");
            strcat(c->controllers, wanted[i].name);
        }
}

/* Old kernels and filters of system calls show here, not at the first task. */
static int try_process(const KeeperCgroup *c) {
    _cleanup_close_ int fd = -EBADF;
    char path[PATH_MAX];

    int r = make_below(c, TRIAL_NAME, &fd);
    if (r < 0)
        return r;
    struct clone_args args = {
        .flags = CLONE_VFORK | CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)fd};
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
    if (pid == 0)
        _exit(0);
    r = pid < 0 ? -errno : 0;
    if (pid > 0)
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    if (snprintf(path, sizeof(path), "%s/" TRIAL_NAME, c->path) < PATH_MAX)
        (void)cgroup_remove(path);
    return r;
}

/* A keeper that was here before us, and was killed, has left shims in ours: that is none of the
 * tasks' either. */
static void strip_own_name(char *path) {
    char *slash = strrchr(path, '/');

    if (slash && streq(slash, "/" OWN_NAME))
        *slash = '\0';
}

int keeper_cgroup_setup(KeeperCgroup *c, const char **ret_what) {
    KeeperCgroup found = {};
    _cleanup_close_ int dir_fd = -EBADF;

    *ret_what = "find the service's cgroup (version 2)";
    int r = find(found.path, sizeof(found.path));
    if (r < 0)
        return r;
    strip_own_name(found.path);
    dir_fd = open(found.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return -errno;
    *ret_what = "make a cgroup in that of the service";
    r = move_aside(&found);
    if (r < 0)
        return r;
    enable_controllers(&found, dir_fd);
    *ret_what = "make a process in a cgroup";
    r = try_process(&found);
    if (r < 0)
        return r;
    *c = found;
    return 0;
}

/* ---- lost tasks ---- */

bool keeper_cgroup_end_task(const KeeperCgroup *c, uint64_t id) {
    char path[PATH_MAX];

    if (!c->path[0] || snprintf(path, sizeof(path), "%s/task-%" PRIu64, c->path, id) >= PATH_MAX)
        return true;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return true;
    (void)cgroup_write(fd, "cgroup.kill", "1");
    return cgroup_remove(path) >= 0;
}
