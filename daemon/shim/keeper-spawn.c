#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/proc-tree.h"
#include "common/remove-tree.h"
#include "common/shim-protocol.h"
#include "daemon/shim/keeper.h"
#include "daemon/shim/shim-record.h"
#include "daemon/shim/shim-socket.h"
#include "daemon/shim/shim.h"

/* What of the way from the order to the shim is time that all tasks wait for. */

/* A folder that is there is that of an earlier attempt, whose end is in the store. */
static int make_folder(const char *path) {
    if (mkdir(path, 0700) >= 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    remove_tree(path, NULL);
    return mkdir(path, 0700) < 0 ? -errno : 0;
}

static int make_files(const Keeper *k, uint64_t id, ShimStart *start) {
    char path[PATH_MAX];

    int r = keeper_task_path(k, id, SHIM_EXIT_NEW_NAME, path, sizeof(path));
    if (r < 0)
        return r;
    start->record_fd = shim_record_create(path);
    if (start->record_fd < 0)
        return start->record_fd;
    r = keeper_task_path(k, id, SHIM_CONTROL_NAME, path, sizeof(path));
    if (r < 0)
        return r;
    return shim_socket_listen(path, &start->listen_fd);
}

/* All that is the keeper's alone: a socket that stays open here would seem to be alive when the
 * keeper is not. */
static void close_in_child(Keeper *k) {
    close(k->dir_fd);
    close(k->listen_fd);
    close(k->daemon.fd);
    for (size_t i = 0; i < k->table.count; i++)
        close_fd(k->table.shims[i].pidfd);
}

static int fork_shim(Keeper *k, uint64_t id, const ShimStart *start) {
    int r = keeper_table_reserve(&k->table);

    if (r < 0)
        return r;
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0) {
        close_in_child(k);
        shim_main(start);
    }
    keeper_table_add(&k->table, id, pid, -EBADF);
    return 0;
}

/* An end that the daemon has read from the record, or has had already, may be quicker than the last
 * steps of the shim. It is at work as long as its record has not got its name, or, should somebody
 * have taken its folder away, as long as there are processes. */
static int make_way(Keeper *k, uint64_t id) {
    KeeperShim *s = keeper_table_find(&k->table, id);
    char path[PATH_MAX];

    if (!s)
        return 0;
    int r = keeper_task_path(k, id, SHIM_EXIT_NEW_NAME, path, sizeof(path));
    if (r < 0)
        return r;
    if (s->pid == 0 || access(path, F_OK) >= 0 || errno != ENOENT || proc_tree_count(s->pid) != 0)
        return -EEXIST;
    keeper_signal_shim(s, SIGKILL);
    keeper_table_remove(&k->table, s);
    return 0;
}

static int spawn(Keeper *k, uint64_t id, int spec_fd, int control_fd) {
    char folder[PATH_MAX];
    ShimStart start = {.id = id,
                       .folder = folder,
                       .cgroup = k->cgroup.path,
                       .spec_fd = spec_fd,
                       .control_fd = control_fd,
                       .signal_fd = k->signal_fd,
                       .record_fd = -EBADF,
                       .listen_fd = -EBADF};

    if (k->stopping)
        return -ECANCELED;
    if (id == 0)
        return -EEXIST;
    int r = make_way(k, id);
    if (r >= 0)
        r = keeper_task_path(k, id, NULL, folder, sizeof(folder));
    if (r < 0)
        return r;
    r = make_folder(folder);
    if (r < 0)
        return r;
    r = make_files(k, id, &start);
    if (r >= 0)
        r = fork_shim(k, id, &start);
    close_fd(start.record_fd);
    close_fd(start.listen_fd);
    if (r < 0)
        remove_tree(folder, NULL);
    return r;
}

/* Whether there is room for it is not waited for: it is the first message on this socket. */
static void tell_failure(const Keeper *k, int control_fd, int error) {
    Fields fields;

    fields.size = 0;
    fields_addf(&fields, SHIM_EXEC_ERRNO, "%d", -error);
    fields_add(&fields, SHIM_EXEC_STEP, SHIM_STEP_SETUP);
    fields_add(&fields, SHIM_LOG_SIZE, "0");
    if (k->stopping)
        fields_add(&fields, SHIM_STOPPED, "1");
    (void)send(control_fd, fields.data, fields.size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void keeper_spawn(Keeper *k, uint64_t id, int spec_fd, int control_fd) {
    int r = spawn(k, id, spec_fd, control_fd);

    if (r < 0) {
        log_full(LOG_WARNING, id, "Cannot make a supervisor: %s", strerror(-r));
        tell_failure(k, control_fd, r);
    }
    close(spec_fd);
    close(control_fd);
}
