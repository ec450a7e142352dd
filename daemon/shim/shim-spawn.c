#include "daemon/shim/shim-spawn.h"

#include <errno.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/shim-protocol.h"
#include "common/strv.h"
#include "daemon/shim/shim-terminal.h"

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/* In memory that parent and child share. */
typedef struct Failure {
    volatile int error; /* errno; 0: the command was executed */
    const char *volatile step;
} Failure;

typedef struct Attempt {
    const ShimJob *job;
    const ShimStdio *stdio;
    bool search;       /* the first candidate that can be executed is meant */
    char **candidates; /* paths */
    Failure *failure;
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
    a->failure->step = step;
    a->failure->error = error;
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

/* The signals stay blocked until the end; the keeper has reset what they do. */
static _Noreturn void child_run(Attempt *a) {
    sigset_t none;

    setsid();
    for (int fd = 0; fd < 3; fd++)
        if (dup2(a->stdio->fds[fd], fd) < 0)
            give_up(a, SHIM_STEP_SETUP, errno);
    if (a->stdio->is_terminal) {
        int r = shim_terminal_take(STDOUT_FILENO);
        if (r < 0)
            give_up(a, SHIM_STEP_TERMINAL, -r);
    }
    if (a->job->has_umask)
        umask(a->job->umask);
    set_nofile(a->job->nofile);
    if (a->job->nice != 0)
        (void)!nice(a->job->nice); /* without the right to it the command runs as it is */
    if (a->job->cwd && chdir(a->job->cwd) < 0)
        give_up(a, SHIM_STEP_CHDIR, errno);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    give_up(a, SHIM_STEP_EXEC, exec_candidates(a));
}

/* The parent goes on when the child has executed the command or given up, so that the result is
 * there by then: no pipe is needed to tell. The child has memory of its own: it runs on like that
 * of fork(2), and unlike that of vfork(2) it can be made in a cgroup without assembly language. */
static pid_t clone_child(int cgroup_fd) {
    struct clone_args args = {.flags = CLONE_VFORK, .exit_signal = SIGCHLD};

    if (cgroup_fd >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)cgroup_fd;
    }
    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static int attempt(Attempt *a, int cgroup_fd, pid_t *ret_pid, const char **ret_step) {
    pid_t pid = clone_child(cgroup_fd);

    if (pid == 0)
        child_run(a);
    if (pid < 0)
        return -errno;
    if (a->failure->error) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
        *ret_step = a->failure->step;
        return -a->failure->error;
    }
    *ret_pid = pid;
    return 0;
}

int shim_spawn(const ShimJob *job, const ShimStdio *stdio, int cgroup_fd, pid_t *ret_pid,
               const char **ret_step) {
    _cleanup_(strv_freep) char **candidates = NULL;

    int r = find_candidates(job, &candidates);
    if (r < 0) {
        *ret_step = r == -ENOMEM ? SHIM_STEP_SETUP : SHIM_STEP_EXEC;
        return r;
    }
    *ret_step = SHIM_STEP_SETUP;
    Failure *failure =
        mmap(NULL, sizeof(*failure), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (failure == MAP_FAILED)
        return -errno;
    Attempt a = {.job = job,
                 .stdio = stdio,
                 .search = !strchr(job->argv[0], '/'),
                 .candidates = candidates,
                 .failure = failure};
    r = attempt(&a, cgroup_fd, ret_pid, ret_step);
    (void)munmap(failure, sizeof(*failure));
    return r;
}
