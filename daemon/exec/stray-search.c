#include "daemon/exec/stray-search.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "common/parse.h"
#include "daemon/exec/result-file.h"

/* The kernel takes no larger ones: a quarter of the stack's limit, 6 MiB at most (execve(2)). */
#define ENVIRONMENT_MAX (8 * MIB)

#define EXEC_TRIES 5
#define EXEC_PAUSE_MSEC 1

static const char *variable(const char *data, size_t size, const char *name) {
    size_t n = strlen(name);

    for (const char *p = data; p < data + size; p += strlen(p) + 1)
        if (strncmp(p, name, n) == 0 && p[n] == '=')
            return p + n + 1;
    return NULL;
}

/* The task that an environment is of, 0 for none. */
static uint64_t task_of(const char *data, size_t size, const char *runtime_dir) {
    const char *id_text = variable(data, size, "LONGRUN_TASK_ID");
    const char *result = variable(data, size, "LONGRUN_RESULT");
    char dir[PATH_MAX], expected[PATH_MAX];
    uint64_t id;

    if (!id_text || !result || parse_u64(id_text, &id) < 0)
        return 0;
    if ((size_t)snprintf(dir, sizeof(dir), "%s/task-%" PRIu64, runtime_dir, id) >= sizeof(dir))
        return 0;
    return result_file_path(expected, sizeof(expected), dir) >= 0 && streq(result, expected) ? id
                                                                                             : 0;
}

/* Zombies and what is the kernel's own have none. */
static bool has_program(pid_t pid) {
    char path[64], buf[1];

    snprintf(path, sizeof(path), "/proc/%d/exe", pid);
    return readlink(path, buf, sizeof(buf)) >= 0;
}

/* A process that is just executing a program has no environment for a moment. */
static int read_environment(pid_t pid, char **ret, size_t *ret_size) {
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/environ", pid);
    for (int i = 0;; i++) {
        _cleanup_free_ char *data = NULL;
        int r = file_read_all(path, ENVIRONMENT_MAX, &data, ret_size);
        if (r < 0)
            return r;
        if (*ret_size > 0 || i == EXEC_TRIES || !has_program(pid)) {
            *ret = TAKE_PTR(data);
            return 0;
        }
        poll(NULL, 0, EXEC_PAUSE_MSEC);
    }
}

/* The descriptor comes first: should the number pass to another process meanwhile, then it stands
 * for one that has ended, and no signal gets to the other. */
static void look_at(pid_t pid, const char *runtime_dir, StrayFunc func, void *userdata) {
    _cleanup_close_ int pidfd = pidfd_open(pid, 0);
    _cleanup_free_ char *data = NULL;
    size_t size;

    if (pidfd < 0)
        return;
    if (read_environment(pid, &data, &size) < 0)
        return; /* not ours to look at, or gone */
    uint64_t id = task_of(data, size, runtime_dir);
    if (id > 0)
        func(userdata, id, pidfd);
}

static bool is_ours(int proc_fd, const char *name) {
    struct stat st;
    return fstatat(proc_fd, name, &st, 0) >= 0 && st.st_uid == geteuid();
}

int stray_search(const char *runtime_dir, StrayFunc func, void *userdata) {
    DIR *proc = opendir("/proc");

    if (!proc)
        return -errno;
    for (struct dirent *e; (e = readdir(proc));)
        if (isdigit((unsigned char)e->d_name[0]) && atoi(e->d_name) != getpid() &&
            is_ours(dirfd(proc), e->d_name))
            look_at(atoi(e->d_name), runtime_dir, func, userdata);
    closedir(proc);
    return 0;
}
