#include "daemon/state-dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "common/log.h"
#include "common/parse.h"
#include "common/remove-tree.h"

/* Ids are reserved in blocks, so that the disk is written once for many; a crash skips what is left
 * of one. */
#define ID_BLOCK 1000

static char *join(const char *dir, const char *name) {
    char *path;
    return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

/* $variable/longrun, or $HOME/fallback/longrun (XDG Base Directory Specification). */
static char *xdg_dir(const char *variable, const char *fallback) {
    const char *dir = getenv(variable), *home = getenv("HOME");
    char *path;

    if (dir && dir[0] == '/')
        return join(dir, "longrun");
    if (!home || home[0] != '/')
        return NULL;
    return asprintf(&path, "%s/%s/longrun", home, fallback) < 0 ? NULL : path;
}

static int make_dir(const char *path, Error *error) {
    int r = mkdir_parents(path, 0700);

    if (r < 0)
        return error_set(error, ERROR_STORAGE, "Cannot make the folder %s: %s", path, strerror(-r));
    return 0;
}

static int lock_dir(const char *dir, int *ret_fd, Error *error) {
    _cleanup_free_ char *path = join(dir, "lock");
    _cleanup_close_ int fd =
        path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -EBADF;

    if (fd < 0)
        return error_set(error, ERROR_STORAGE, "Cannot write to %s: %s", dir, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return error_set(error, ERROR_STORAGE,
                         "Another longrund uses %s: end it first, or give this one a folder of "
                         "its own (--state-dir, XDG_RUNTIME_DIR)",
                         dir);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

/* sockaddr_un is short, and a shim binds a socket in the task's folder. */
static int check_socket_path(const StateDir *d, Error *error) {
    struct sockaddr_un address;
    size_t longest = strlen(d->runtime) + strlen("/task-18446744073709551615/notify");

    if (longest < sizeof(address.sun_path))
        return 0;
    return error_set(error, ERROR_STORAGE,
                     "The path of the runtime folder %s is too long for sockets: set "
                     "XDG_RUNTIME_DIR to a shorter one",
                     d->runtime);
}

static int read_next_id(StateDir *d, Error *error) {
    _cleanup_free_ char *path = join(d->state, "next-id"), *text = NULL;
    int r = path ? file_read_all(path, 64, &text, NULL) : -ENOMEM;

    d->next_id = 1;
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return error_set(error, ERROR_STORAGE, "Cannot read %s: %s", strempty(path), strerror(-r));
    text[strcspn(text, "\n")] = '\0';
    if (parse_u64(text, &d->next_id) < 0 || d->next_id == 0 || d->next_id > INT64_MAX)
        return error_set(
            error, ERROR_STORAGE,
            "%s does not hold a sensible number: put one in that is higher than all logs in %s",
            path, d->logs);
    return 0;
}

/* Whole on disk or not at all, before an id of the block is given out. */
static int write_reserved(const StateDir *d, uint64_t reserved) {
    _cleanup_free_ char *path = join(d->state, "next-id"), *partial = join(d->state, "next-id.new");
    char text[32];
    int r, n = snprintf(text, sizeof(text), "%" PRIu64 "\n", reserved);

    if (!path || !partial)
        return -ENOMEM;
    _cleanup_close_ int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = fd_write_full(fd, text, (size_t)n);
    if (r < 0)
        return r;
    if (fsync(fd) < 0 || rename(partial, path) < 0)
        return -errno;
    /* The new name must be on disk as well. */
    _cleanup_close_ int dir_fd = open(d->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir_fd < 0 || fsync(dir_fd) < 0 ? -errno : 0;
}

int state_dir_next_id(StateDir *d, uint64_t *ret, Error *error) {
    if (d->next_id >= d->reserved_id) {
        int r = write_reserved(d, d->next_id + ID_BLOCK);
        if (r < 0)
            return error_set(error, ERROR_STORAGE,
                             "Cannot note task ids in %s: %s. Make room or rights there, then try "
                             "again",
                             d->state, strerror(-r));
        d->reserved_id = d->next_id + ID_BLOCK;
    }
    *ret = d->next_id++;
    return 0;
}

/* Of tasks that ended with a daemon that was killed: nobody can ask for their results any more. */
static void remove_old_runtime(const StateDir *d) {
    DIR *dir = opendir(d->runtime);

    if (!dir)
        return;
    for (struct dirent *e; (e = readdir(dir));) {
        _cleanup_free_ char *path =
            strncmp(e->d_name, "task-", 5) == 0 ? join(d->runtime, e->d_name) : NULL;
        if (path)
            remove_tree(path, NULL);
    }
    closedir(dir);
}

static int find_dirs(StateDir *d, const char *state, Error *error) {
    d->state = state ? strdup(state) : xdg_dir("XDG_STATE_HOME", ".local/state");
    if (!d->state)
        return error_set(error, ERROR_STORAGE,
                         "There is no place for state: set HOME or XDG_STATE_HOME, or give "
                         "--state-dir");
    if (d->state[0] != '/')
        return error_set(error, ERROR_STORAGE, "The folder of --state-dir must be absolute: %s",
                         d->state);
    d->logs = join(d->state, "logs");
    d->runtime = getenv("XDG_RUNTIME_DIR") ? xdg_dir("XDG_RUNTIME_DIR", "") : join(d->state, "run");
    if (!d->logs || !d->runtime)
        return error_set(error, ERROR_STORAGE, "Out of memory");
    return 0;
}

int state_dir_open(StateDir *d, const char *state, Error *error) {
    int r;

    *d = (StateDir){.state_lock = -EBADF, .runtime_lock = -EBADF};
    r = find_dirs(d, state, error);
    if (r >= 0)
        r = check_socket_path(d, error);
    if (r >= 0)
        r = make_dir(d->logs, error);
    if (r >= 0)
        r = make_dir(d->runtime, error);
    if (r >= 0)
        r = lock_dir(d->state, &d->state_lock, error);
    if (r >= 0)
        r = lock_dir(d->runtime, &d->runtime_lock, error);
    if (r >= 0)
        r = read_next_id(d, error);
    if (r >= 0)
        remove_old_runtime(d);
    else
        state_dir_done(d);
    return r;
}

void state_dir_done(StateDir *d) {
    /* What is left of the block can be given out by the next daemon. */
    if (d->reserved_id > d->next_id)
        (void)write_reserved(d, d->next_id);
    close_fd(d->state_lock);
    close_fd(d->runtime_lock);
    free(d->state);
    free(d->logs);
    free(d->runtime);
    *d = (StateDir){.state_lock = -EBADF, .runtime_lock = -EBADF};
}

char *state_dir_task_runtime(const StateDir *d, uint64_t id) {
    char *path;
    return asprintf(&path, "%s/task-%" PRIu64, d->runtime, id) < 0 ? NULL : path;
}
