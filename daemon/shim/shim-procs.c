#include "daemon/shim/shim-procs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/proc-tree.h"
#include "daemon/shim/cgroup.h"

/* Stopping a tree ends when a look finds no more processes than the one before. */
#define STOP_ROUNDS_MAX 8

/* ---- the cgroup ---- */

void shim_procs_set_limits(ShimProcs *p, const ShimJob *job) {
    const ShimLimits *l = &job->limits;

    if (l->memory_max != UINT64_MAX) {
        p->limits_memory = cgroup_write_u64(p->cgroup_fd, "memory.max", l->memory_max) >= 0;
        /* Otherwise the limit would be one of speed, and of what is left of the command. */
        (void)cgroup_write(p->cgroup_fd, "memory.swap.max", "0");
        (void)cgroup_write(p->cgroup_fd, "memory.oom.group", "1");
    }
    if (l->pids_max != UINT64_MAX)
        p->limits_pids = cgroup_write_u64(p->cgroup_fd, "pids.max", l->pids_max) >= 0;
    if (job->cpu_weight > 0)
        (void)cgroup_write_u64(p->cgroup_fd, "cpu.weight", job->cpu_weight);
}

/* One that is there is that of an earlier attempt, and empty. */
static int make_folder(const char *path) {
    if (mkdir(path, 0755) >= 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    int r = cgroup_remove(path);
    if (r < 0)
        return r;
    return mkdir(path, 0755) < 0 ? -errno : 0;
}

static int open_folder(ShimProcs *p) {
    p->cgroup_fd = open(p->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->cgroup_fd < 0)
        return -errno;
    p->events_fd = openat(p->cgroup_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
    return p->events_fd < 0 ? -errno : 0;
}

int shim_procs_make_cgroup(ShimProcs *p, const char *parent, const ShimJob *job) {
    *p = SHIM_PROCS_NONE;
    if (asprintf(&p->cgroup, "%s/task-%" PRIu64, parent, job->id) < 0) {
        p->cgroup = NULL;
        return -ENOMEM;
    }
    int r = make_folder(p->cgroup);
    if (r < 0) {
        free(p->cgroup); /* it is not ours to remove */
        p->cgroup = NULL;
        return r;
    }
    r = open_folder(p);
    if (r < 0) {
        shim_procs_remove_cgroup(p);
        return r;
    }
    shim_procs_set_limits(p, job);
    return 0;
}

void shim_procs_remove_cgroup(ShimProcs *p) {
    close_fd(p->events_fd);
    close_fd(p->cgroup_fd);
    if (p->cgroup)
        (void)cgroup_remove(p->cgroup);
    free(p->cgroup);
    *p = SHIM_PROCS_NONE;
}

static bool event(ShimProcs *p, const char *key) {
    char text[256];

    ssize_t n = pread(p->events_fd, text, sizeof(text) - 1, 0);
    if (n < 0)
        return false;
    text[n] = '\0';
    const char *found = strstr(text, key);
    return found && found[strlen(key)] == '1';
}

bool shim_procs_populated(ShimProcs *p) {
    if (p->cgroup_fd < 0)
        return false;
    bool populated = event(p, "populated ");
    p->wait_events = p->wait_events || populated;
    return populated;
}

bool shim_procs_ran_out_of_memory(const ShimProcs *p) {
    uint64_t reached, killed;

    return p->limits_memory &&
           cgroup_read_u64(p->cgroup_fd, "memory.events", "oom", &reached) >= 0 &&
           cgroup_read_u64(p->cgroup_fd, "memory.events", "oom_kill", &killed) >= 0 &&
           reached > 0 && killed > 0;
}

/* ---- all of them ---- */

static bool contains(const pid_t *pids, size_t n, pid_t pid) {
    for (size_t i = 0; i < n; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

/* A descendant may have left the cgroup, and somebody may have been put into it. */
int shim_procs_list(const ShimProcs *p, pid_t **ret) {
    _cleanup_free_ pid_t *tree = NULL, *members = NULL;

    int n_tree = proc_tree_list(getpid(), &tree);
    if (n_tree < 0)
        return n_tree;
    int n_members = p->cgroup_fd >= 0 ? cgroup_list(p->cgroup_fd, &members) : 0;
    if (n_members <= 0) {
        *ret = TAKE_PTR(tree);
        return n_tree;
    }
    pid_t *all = realloc(tree, (size_t)(n_tree + n_members) * sizeof(pid_t));
    if (!all)
        return -ENOMEM;
    tree = NULL;
    size_t n = (size_t)n_tree;
    for (int i = 0; i < n_members; i++)
        if (!contains(all, (size_t)n_tree, members[i]))
            all[n++] = members[i];
    *ret = all;
    return (int)n;
}

void shim_procs_signal(const ShimProcs *p, int signal) {
    _cleanup_free_ pid_t *pids = NULL;
    int n = shim_procs_list(p, &pids);

    if (n > 0)
        (void)proc_tree_signal_list(pids, (size_t)n, getpid(), signal);
}

void shim_procs_kill(const ShimProcs *p) {
    if (p->cgroup_fd >= 0)
        (void)cgroup_write(p->cgroup_fd, "cgroup.kill", "1");
    shim_procs_signal(p, SIGKILL);
}

/* ---- pause ---- */

/* A process that was just being made does not have the signal yet. */
static void stop_tree(const ShimProcs *p) {
    int before = -1;

    for (int i = 0; i < STOP_ROUNDS_MAX; i++) {
        shim_procs_signal(p, SIGSTOP);
        int n = proc_tree_count(getpid());
        if (n == before)
            break;
        before = n;
    }
}

bool shim_procs_pause(ShimProcs *p, bool pause) {
    if (p->cgroup_fd >= 0 && cgroup_write(p->cgroup_fd, "cgroup.freeze", pause ? "1" : "0") >= 0) {
        p->wait_events = true;
        return shim_procs_is_paused(p) == pause;
    }
    if (pause)
        stop_tree(p);
    else
        shim_procs_signal(p, SIGCONT);
    return true;
}

bool shim_procs_is_paused(ShimProcs *p) {
    return event(p, "frozen ");
}
