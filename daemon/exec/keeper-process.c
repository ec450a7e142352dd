#include "daemon/exec/keeper-process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/strv.h"
#include "daemon/exec/own-environ.h"

struct KeeperProcess {
    sd_event_source *source;
    KeeperProcessEnded ended;
    void *userdata; /* not owned */
};

static int on_exit_of_keeper(sd_event_source *s, const siginfo_t *si, void *userdata) {
    KeeperProcess *p = userdata;

    /* It goes on its own when it has nothing left to keep. */
    if (si->si_code != CLD_EXITED || si->si_status != 0)
        log_warning("The keeper of the tasks (longrun-shim, pid %d) has ended: %s %d", si->si_pid,
                    si->si_code == CLD_EXITED ? "exit code" : "signal", si->si_status);
    p->ended(p->userdata);
    return 0;
}

/* Of the daemon's environment what is not the daemon's alone: its readiness, for one, is not to be
 * told by the keeper. The strings are not copied; NULL when memory is short. */
static char **keeper_environ(void) {
    char **env = calloc(strv_length(environ) + 1, sizeof(char *));
    size_t n = 0;

    if (!env)
        return NULL;
    STRV_FOREACH (e, environ)
        if (!environ_is_own(*e))
            env[n++] = *e;
    return env;
}

/* A session of its own: Ctrl-C or the end of the daemon's terminal is the daemon's affair. */
static int spawn(const char *path, const char *runtime_dir, pid_t *ret) {
    char *argv[] = {(char *)"longrun-shim", (char *)"--keeper", (char *)runtime_dir, NULL};
    _cleanup_free_ char **env = keeper_environ();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t all, none;

    if (!env)
        return -ENOMEM;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr,
                             POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setsigmask(&attr, &none);
    int r = -posix_spawn(ret, path, &actions, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return r;
}

int keeper_process_start(KeeperProcess **ret, sd_event *event, const char *libexec_dir,
                         const char *runtime_dir, KeeperProcessEnded ended, void *userdata) {
    _cleanup_free_ char *path = NULL;
    KeeperProcess *p = calloc(1, sizeof(KeeperProcess));
    pid_t pid;
    int r = -ENOMEM;

    if (!p || asprintf(&path, "%s/longrun-shim", libexec_dir) < 0) {
        path = NULL;
        goto fail;
    }
    *p = (KeeperProcess){.ended = ended, .userdata = userdata};
    r = spawn(path, runtime_dir, &pid);
    if (r < 0)
        goto fail;
    /* Not watched it stays a zombie when it ends, and works all the same. */
    r = sd_event_add_child(event, &p->source, pid, WEXITED, on_exit_of_keeper, p);
    if (r < 0)
        log_warning_errno(r, "Cannot watch the keeper of the tasks, ignoring");
    *ret = p;
    return 0;

fail:
    free(p);
    return r;
}

KeeperProcess *keeper_process_free(KeeperProcess *p) {
    if (!p)
        return NULL;
    sd_event_source_disable_unref(p->source);
    free(p);
    return NULL;
}
