#include "common/proc-tree.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"

#define STOP_WAIT_USEC (50 * USEC_PER_MSEC) /* for all of them together */

typedef struct PidList {
    pid_t *pids;
    size_t count, allocated;
} PidList;

static int pid_list_add(PidList *l, pid_t pid) {
    if (l->count == l->allocated) {
        size_t n = MAX(l->allocated * 2, (size_t)64);
        pid_t *grown = realloc(l->pids, n * sizeof(pid_t));
        if (!grown)
            return -ENOMEM;
        l->pids = grown;
        l->allocated = n;
    }
    l->pids[l->count++] = pid;
    return 0;
}

static int add_children_of_thread(PidList *l, pid_t pid, const char *tid) {
    char path[NAME_MAX + 64];
    int child, r;

    snprintf(path, sizeof(path), "/proc/%d/task/%s/children", pid, tid);
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    if (!f)
        return 0; /* the thread has ended meanwhile */
    while (fscanf(f, "%d", &child) == 1) {
        r = pid_list_add(l, child);
        if (r < 0)
            return r;
    }
    return 0;
}

/* A child belongs to the thread that made it, so all threads are asked. */
static int add_children(PidList *l, pid_t pid) {
    char path[32];
    int r = 0;

    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *dir = opendir(path);
    if (!dir)
        return 0;
    for (struct dirent *e; r >= 0 && (e = readdir(dir));)
        if (isdigit((unsigned char)e->d_name[0]))
            r = add_children_of_thread(l, pid, e->d_name);
    closedir(dir);
    return r;
}

/* Breadth first: the list is the queue as well. */
static int collect(PidList *l, pid_t root) {
    int r = add_children(l, root);

    for (size_t i = 0; r >= 0 && i < l->count; i++)
        r = add_children(l, l->pids[i]);
    return r;
}

static bool pid_list_contains(const PidList *l, pid_t pid) {
    for (size_t i = 0; i < l->count; i++)
        if (l->pids[i] == pid)
            return true;
    return false;
}

/* A group is signalled in one go: none of its members is missed because it forks just then, and
 * none gets the signal twice, which many programs take for "at once, without cleaning up". Members
 * of root's own group are not all below root and are told one by one. */
static int signal_groups(const PidList *l, pid_t root, int signal) {
    PidList done = {};
    pid_t own = getpgid(root);
    int r = 0;

    for (size_t i = 0; r >= 0 && i < l->count; i++) {
        pid_t group = getpgid(l->pids[i]);
        if (group <= 0)
            continue; /* gone meanwhile */
        if (group == own) {
            (void)kill(l->pids[i], signal);
        } else if (!pid_list_contains(&done, group)) {
            (void)kill(-group, signal);
            r = pid_list_add(&done, group);
        }
    }
    free(done.pids);
    return r;
}

/* ---- stop and go on ---- */

/* A shell with job control that finds its child stopped takes that for ^Z, and waits for it no
 * longer. So parents, which come first in the list, are stopped before their children, and go on
 * after them. */

static bool is_stopped(pid_t pid) {
    char path[32], text[512];

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
    text[n] = '\0';
    const char *end = strrchr(text, ')'); /* of the name */
    return !end || strncmp(end, ") T", 3) == 0 || strncmp(end, ") t", 3) == 0 ||
           strncmp(end, ") Z", 3) == 0;
}

/* The signal is sent; what hangs in the kernel takes no notice for as long as it hangs. */
static void wait_stopped(pid_t pid, uint64_t deadline_usec) {
    while (!is_stopped(pid) && clock_usec(CLOCK_MONOTONIC) < deadline_usec)
        sched_yield();
}

static int stop_all(const PidList *l, pid_t root) {
    uint64_t deadline_usec = clock_usec(CLOCK_MONOTONIC) + STOP_WAIT_USEC;
    int r = 0;

    for (size_t i = 0; i < l->count && r >= 0; i++) {
        const PidList one = {.pids = &l->pids[i], .count = 1};
        r = signal_groups(&one, root, SIGSTOP);
        wait_stopped(l->pids[i], deadline_usec);
    }
    return r;
}

/* Nobody is missed, for what is stopped does not fork. */
static int continue_all(const PidList *l) {
    for (size_t i = l->count; i > 0; i--)
        (void)kill(l->pids[i - 1], SIGCONT);
    return 0;
}

static int send_signal(const PidList *l, pid_t root, int signal) {
    if (signal == SIGSTOP)
        return stop_all(l, root);
    return signal == SIGCONT ? continue_all(l) : signal_groups(l, root, signal);
}

static int list_and_signal(pid_t root, int signal) {
    PidList l = {};
    int r = collect(&l, root);

    if (r >= 0 && signal > 0)
        r = send_signal(&l, root, signal);
    if (r >= 0)
        r = (int)l.count;
    free(l.pids);
    return r;
}

int proc_tree_signal(pid_t root, int signal) {
    return list_and_signal(root, signal);
}

int proc_tree_count(pid_t root) {
    return list_and_signal(root, 0);
}

int proc_tree_list(pid_t root, pid_t **ret) {
    PidList l = {};
    int r = collect(&l, root);

    if (r < 0) {
        free(l.pids);
        return r;
    }
    *ret = l.pids;
    return (int)l.count;
}

int proc_tree_signal_list(const pid_t *pids, size_t n, pid_t root, int signal) {
    PidList l = {.pids = (pid_t *)pids, .count = n};

    return send_signal(&l, root, signal);
}

static bool listed(pid_t pid, const pid_t *pids, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

int proc_tree_end_strays(const pid_t *keep, size_t n_keep) {
    PidList l = {};
    size_t strays = 0;
    int r = add_children(&l, getpid());

    for (size_t i = 0; r >= 0 && i < l.count; i++)
        if (!listed(l.pids[i], keep, n_keep))
            l.pids[strays++] = l.pids[i];
    l.count = strays;
    for (size_t i = 0; r >= 0 && i < l.count; i++)
        r = add_children(&l, l.pids[i]);

    for (size_t i = 0; r >= 0 && i < l.count; i++) {
        (void)kill(l.pids[i], SIGKILL);
        if (i < strays)
            (void)waitpid(l.pids[i], NULL, WNOHANG);
    }
    /* Also those that are reaped by now: one that died between the two looks has left its children
     * to the calling process, unseen. Only a look that finds nothing is the last. */
    if (r >= 0)
        r = (int)l.count;
    free(l.pids);
    return r;
}
