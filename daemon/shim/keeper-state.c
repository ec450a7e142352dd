#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "common/log.h"
#include "common/parse.h"
#include "daemon/shim/keeper.h"

/* Lines KEY=VALUE: the descriptors that stay open, the cgroup, and "shim=ID PID PIDFD" for each. */

#define STATE_MAX (16 * MIB)

static int keep_open(int fd, bool keep) {
    return fd < 0 || fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC) >= 0 ? 0 : -errno;
}

static int keep_all_open(const Keeper *k, bool keep) {
    const int fds[] = {k->dir_fd, k->listen_fd, k->daemon.fd};
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ELEMENTSOF(fds); i++)
        r = keep_open(fds[i], keep);
    for (size_t i = 0; r >= 0 && i < k->table.count; i++)
        r = keep_open(k->table.shims[i].pidfd, keep);
    return r;
}

static void print_state(const Keeper *k, FILE *f) {
    fprintf(f, "dir=%d\nlisten=%d\ndaemon=%d\nstopping=%d\n", k->dir_fd, k->listen_fd, k->daemon.fd,
            k->stopping);
    fprintf(f, "cgroup=%s\ncontrollers=%s\n", k->cgroup.path, k->cgroup.controllers);
    for (size_t i = 0; i < k->table.count; i++) {
        const KeeperShim *s = k->table.shims + i;
        fprintf(f, "shim=%" PRIu64 " %d %d\n", s->id, s->pid, s->pidfd);
    }
}

static int write_state(const Keeper *k) {
    _cleanup_free_ char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return -errno;
    print_state(k, f);
    if (fclose(f) < 0)
        return -errno;
    return memfd_new("keeper", text, size);
}

void keeper_exec_anew(Keeper *k) {
    _cleanup_close_ int fd = write_state(k);
    char state[16];
    char *argv[] = {(char *)"longrun-shim",
                    (char *)"--keeper",
                    (char *)k->dir,
                    (char *)"--state",
                    state,
                    k->service ? (char *)"--cgroup" : NULL,
                    NULL};
    int r = fd < 0 ? fd : 0;

    snprintf(state, sizeof(state), "%d", fd);
    if (r >= 0)
        r = keep_open(fd, true);
    if (r >= 0)
        r = keep_all_open(k, true);
    if (r >= 0) {
        execv(k->self, argv);
        r = -errno;
    }
    (void)keep_all_open(k, false);
    log_warning("Cannot execute %s anew, ignoring: %s", k->self, strerror(-r));
}

static int take_shim(Keeper *k, const char *value) {
    uint64_t id;
    int pid, pidfd;

    if (sscanf(value, "%" SCNu64 " %d %d", &id, &pid, &pidfd) != 3)
        return -EINVAL;
    int r = keeper_table_reserve(&k->table);
    if (r < 0)
        return r;
    keeper_table_add(&k->table, id, pid, pidfd);
    return 0;
}

static int take_line(Keeper *k, const char *key, const char *value) {
    if (streq(key, "dir"))
        k->dir_fd = atoi(value);
    else if (streq(key, "listen"))
        k->listen_fd = atoi(value);
    else if (streq(key, "daemon"))
        k->daemon.fd = atoi(value);
    else if (streq(key, "stopping"))
        k->stopping = streq(value, "1");
    else if (streq(key, "cgroup"))
        snprintf(k->cgroup.path, sizeof(k->cgroup.path), "%s", value);
    else if (streq(key, "controllers"))
        snprintf(k->cgroup.controllers, sizeof(k->cgroup.controllers), "%s", value);
    else if (streq(key, "shim"))
        return take_shim(k, value);
    return 0; /* of a version that knows more */
}

int keeper_take_state(Keeper *k, int fd) {
    _cleanup_free_ char *text = NULL;

    int r = fd_read_all(fd, STATE_MAX, &text, NULL);
    close(fd);
    if (r < 0)
        return r;
    char *cursor = text;
    for (const char *key, *value; r >= 0 && fields_next(&cursor, &key, &value);)
        r = take_line(k, key, value);
    if (r < 0)
        return r;
    k->had_daemon = true;
    k->lost_due_usec = 0;
    return keep_all_open(k, false);
}
