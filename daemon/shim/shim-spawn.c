#include "daemon/shim/shim-spawn.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/shim-protocol.h"
#include "common/strv.h"

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/* Lives on the stack of the parent, whose memory the child of a vfork(2) shares. */
typedef struct Attempt {
    const ShimJob *job;
    const ShimStdio *stdio;
    bool search;       /* the first candidate that can be executed is meant */
    char **candidates; /* paths */
    volatile int error;
    const char *volatile step;
} Attempt;

static const char *search_path(const ShimJob *job) {
    for (size_t i = 0; i < job->env_count; i++)
        if (strncmp(job->env[i], "PATH=", 5) == 0)
            return job->env[i] + 5;
    return DEFAULT_PATH;
}

/* As execvp(3): an empty element of PATH is the working directory, an overlong one is skipped. */
static int push_candidate(char ***candidates, size_t *count, const char *dir, int dir_len,
                          const char *name) {
    char *path;

    if ((size_t)dir_len + 1 + strlen(name) >= PATH_MAX)
        return 0;
    if (asprintf(&path, "%.*s%s%s", dir_len, dir, dir_len > 0 ? "/" : "", name) < 0)
        return -ENOMEM;
    return strv_push(candidates, count, path);
}

static int find_candidates(const ShimJob *job, char ***ret) {
    _cleanup_(strv_freep) char **candidates = NULL;
    const char *name = job->argv[0];
    size_t count = 0;
    int r;

    if (isempty(name))
        return -ENOENT;
    if (strchr(name, '/')) {
        r = strv_push(&candidates, &count, strdup(name));
        if (r < 0)
            return r;
        *ret = TAKE_PTR(candidates);
        return 0;
    }
    if (strlen(name) > NAME_MAX)
        return -ENAMETOOLONG;

    for (const char *dir = search_path(job), *end;; dir = end + 1) {
        end = strchrnul(dir, ':');
        r = push_candidate(&candidates, &count, dir, (int)MIN(end - dir, PATH_MAX), name);
        if (r < 0)
            return r;
        if (!*end)
            break;
    }
    *ret = TAKE_PTR(candidates);
    return 0;
}

static _Noreturn void give_up(Attempt *a, const char *step, int error) {
    a->step = step;
    a->error = error;
    _exit(127);
}

/* The errors that let the search go on are those of execvp(3). */
static int exec_candidates(Attempt *a) {
    int denied = 0;

    if (!a->search) {
        execve(a->candidates[0], a->job->argv, a->job->env);
        return errno;
    }
    STRV_FOREACH (path, a->candidates) {
        execve(*path, a->job->argv, a->job->env);
        switch (errno) {
        case EACCES:
            denied = EACCES;
            break;
        case ENOENT:
        case ENOTDIR:
        case ENODEV:
        case ESTALE:
        case ETIMEDOUT:
            break;
        default:
            return errno;
        }
    }
    return denied ?: ENOENT;
}

/* The daemon has raised its own limit; programs that use select(2) must not get it. */
static void set_nofile(uint64_t soft) {
    struct rlimit limit;

    if (soft == 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = MIN((rlim_t)soft, limit.rlim_max);
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Runs on the parent's memory while the parent waits: system calls alone. The signals stay blocked
 * until the end. Dispositions that the shim was started with are not the command's; the real-time
 * signals are left out, since nobody ignores those for others and each costs a call. */
static _Noreturn void child_run(Attempt *a) {
    sigset_t none;

    for (int sig = 1; sig < SIGRTMIN; sig++)
        (void)signal(sig, SIG_DFL);
    setsid();
    for (int fd = 0; fd < 3; fd++)
        if (dup2(a->stdio->fds[fd], fd) < 0)
            give_up(a, SHIM_STEP_SETUP, errno);
    if (a->job->has_umask)
        umask(a->job->umask);
    set_nofile(a->job->nofile);
    if (a->job->cwd && chdir(a->job->cwd) < 0)
        give_up(a, SHIM_STEP_CHDIR, errno);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    give_up(a, SHIM_STEP_EXEC, exec_candidates(a));
}

/* The parent goes on when the child has executed the command or given up, so that the result is in
 * the attempt by then: no pipe is needed to tell. A function of its own, which has no variables
 * that the child could spoil. */
static __attribute__((noinline)) pid_t vfork_child(Attempt *a) {
    pid_t pid = vfork();

    if (pid == 0)
        child_run(a);
    return pid;
}

int shim_spawn(const ShimJob *job, const ShimStdio *stdio, pid_t *ret_pid, const char **ret_step) {
    _cleanup_(strv_freep) char **candidates = NULL;

    int r = find_candidates(job, &candidates);
    if (r < 0) {
        *ret_step = r == -ENOMEM ? SHIM_STEP_SETUP : SHIM_STEP_EXEC;
        return r;
    }

    Attempt a = {
        .job = job, .stdio = stdio, .search = !strchr(job->argv[0], '/'), .candidates = candidates};
    pid_t pid = vfork_child(&a);
    if (pid < 0) {
        *ret_step = SHIM_STEP_SETUP;
        return -errno;
    }
    if (a.error) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
        *ret_step = a.step;
        return -a.error;
    }
    *ret_pid = pid;
    return 0;
}
