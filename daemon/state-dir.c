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

/* A longrund that was killed while it made a process leaves its lock with that, until the program
 * is executed there. */
#define LOCK_TRIES 100
#define LOCK_PAUSE_USEC (10 * USEC_PER_MSEC)

static bool lock(int fd) {
    for (unsigned i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) >= 0)
            return true;
        usleep(LOCK_PAUSE_USEC);
    }
    return false;
}

static int lock_dir(const char *dir, int *ret_fd, Error *error) {
    _cleanup_free_ char *path = join(dir, "lock");
    _cleanup_close_ int fd =
        path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -EBADF;

    if (fd < 0)
        return error_set(error, ERROR_STORAGE, "Cannot write to %s: %s", dir, strerror(errno));
    if (!lock(fd))
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
    size_t longest = strlen(d->runtime) + strlen("/task-18446744073709551615/control");

    if (longest < sizeof(address.sun_path))
        return 0;
    return error_set(error, ERROR_STORAGE,
                     "The path of the runtime folder %s is too long for sockets: set "
                     "XDG_RUNTIME_DIR to a shorter one",
                     d->runtime);
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
    if (r < 0)
        state_dir_done(d);
    return r;
}

void state_dir_done(StateDir *d) {
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

/* The id of a name "task-ID", 0 for another. */
static uint64_t id_of_name(const char *name) {
    uint64_t id;

    return strncmp(name, "task-", 5) != 0 || parse_u64(name + 5, &id) < 0 ? 0 : id;
}

void state_dir_clean_runtime(const StateDir *d, bool (*keep)(void *userdata, uint64_t id),
                             void *userdata) {
    DIR *dir = opendir(d->runtime);

    if (!dir)
        return;
    for (struct dirent *e; (e = readdir(dir));) {
        uint64_t id = id_of_name(e->d_name);
        _cleanup_free_ char *path =
            id > 0 && !keep(userdata, id) ? state_dir_task_runtime(d, id) : NULL;
        if (path)
            remove_tree(path, NULL);
    }
    closedir(dir);
}
