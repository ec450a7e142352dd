#include "daemon/shim/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/parse.h"
#include "common/shim-protocol.h"
#include "daemon/shim/keeper-service.h"
#include "version.h"

/* A keeper that a daemon started goes when there is nobody to work for. */
#define IDLE_BEGIN_USEC (30 * USEC_PER_SEC) /* to the first connection */

/* So that a thousand orders do not keep the dead waiting. */
#define MESSAGES_PER_TURN 32

/* Every shim has a stop timeout of its own: as long as there are any, the end is on its way. */
#define EXTEND_INTERVAL_USEC (10 * USEC_PER_SEC)

/* ---- orders ---- */

static void on_hello(Keeper *k, const char *version) {
    keeper_connection_greet(&k->daemon);
    if (!streq(version, LONGRUN_VERSION))
        keeper_exec_anew(k);
}

static void on_spawn(Keeper *k, const char *text, KeeperMessage *message) {
    uint64_t id;

    if (message->fds[0] < 0 || message->fds[1] < 0 || parse_u64(text, &id) < 0) {
        log_warning("An order to spawn \"%s\" without its two descriptors, ignoring", text);
        return;
    }
    keeper_spawn(k, id, TAKE_FD(message->fds[0]), TAKE_FD(message->fds[1]));
}

static void on_message(Keeper *k, KeeperMessage *message) {
    char *cursor = message->text;

    for (const char *key, *value; fields_next(&cursor, &key, &value);) {
        if (streq(key, KEEPER_HELLO))
            on_hello(k, value);
        else if (streq(key, KEEPER_SPAWN))
            on_spawn(k, value, message);
    }
    close_fd(message->fds[0]);
    close_fd(message->fds[1]);
}

/* ---- signals ---- */

static void reap(Keeper *k) {
    for (int status;;) {
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0)
            break;
        KeeperShim *s = keeper_table_find_pid(&k->table, pid);
        if (s)
            keeper_shim_died(k, s, status == 0);
    }
    if (k->table.n_lost > 0)
        k->lost_due_usec = 0; /* it may have been the last that was waited for */
}

void keeper_signal_shim(const KeeperShim *s, int sig) {
    if (s->pidfd >= 0)
        (void)pidfd_send_signal(s->pidfd, sig, NULL, 0);
    else if (s->pid > 0)
        (void)kill(s->pid, sig);
}

static void stop(Keeper *k) {
    k->stopping = true;
    k->extend_usec = 0;
    for (size_t i = 0; i < k->table.count; i++)
        keeper_signal_shim(k->table.shims + i, SIGTERM);
}

static void read_signals(Keeper *k) {
    struct signalfd_siginfo infos[8];

    ssize_t n = read(k->signal_fd, infos, sizeof(infos));
    for (ssize_t i = 0; i < n / (ssize_t)sizeof(infos[0]); i++)
        if (infos[i].ssi_signo == SIGCHLD)
            reap(k);
        else
            stop(k);
}

/* ---- the loop ---- */

enum {
    WATCH_SIGNALS,
    WATCH_LISTEN,
    WATCH_DAEMON,
    _WATCH_MAX,
};

/* The next daemon gets its turn when everything that the one before has sent is done. */
static void dispatch(Keeper *k, const struct pollfd fds[static _WATCH_MAX]) {
    KeeperMessage message;

    if (fds[WATCH_SIGNALS].revents)
        read_signals(k);
    if (fds[WATCH_DAEMON].revents & (POLLIN | POLLHUP | POLLERR))
        for (int i = 0; i < MESSAGES_PER_TURN && keeper_connection_receive(&k->daemon, &message);
             i++)
            on_message(k, &message);
    if (k->daemon.fd < 0 && fds[WATCH_LISTEN].revents &&
        keeper_connection_accept(&k->daemon, k->listen_fd))
        k->had_daemon = true;
}

/* Those of an earlier keeper tell by their pidfd that they have died, not what they returned. */
static size_t watch_adopted(Keeper *k, struct pollfd *fds) {
    size_t n = 0;

    for (size_t i = 0; i < k->table.count; i++)
        if (k->table.shims[i].pidfd >= 0)
            fds[n++] = (struct pollfd){.fd = k->table.shims[i].pidfd, .events = POLLIN};
    return n;
}

static void dispatch_adopted(Keeper *k, const struct pollfd *fds, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; fds[i].revents && j < k->table.count; j++)
            if (k->table.shims[j].pidfd == fds[i].fd) {
                keeper_shim_died(k, k->table.shims + j, false);
                break;
            }
}

static uint64_t next_due(const Keeper *k) {
    uint64_t due = k->lost_due_usec;

    if (k->stopping)
        due = MIN(due, k->extend_usec);
    if (!k->service && !k->had_daemon)
        due = MIN(due, k->begin_usec + IDLE_BEGIN_USEC);
    return due;
}

static void wait_for_events(Keeper *k, struct pollfd *fds, size_t n) {
    uint64_t due = next_due(k);
    uint64_t now = due == USEC_INFINITY ? 0 : clock_usec(CLOCK_MONOTONIC);
    uint64_t left = due > now ? due - now : 0;
    struct timespec timeout = {.tv_sec = (time_t)(left / USEC_PER_SEC),
                               .tv_nsec = (long)(left % USEC_PER_SEC * NSEC_PER_USEC)};

    if (ppoll(fds, n, due == USEC_INFINITY ? NULL : &timeout, NULL) < 0)
        for (size_t i = 0; i < n; i++)
            fds[i].revents = 0;
}

static void send_news(Keeper *k) {
    KeeperFacts facts = {.isolation =
                             k->cgroup.path[0] ? ISOLATION_CGROUP : ISOLATION_PROCESS_GROUP,
                         .cgroup = k->cgroup.path,
                         .controllers = k->cgroup.controllers};

    keeper_connection_send(&k->daemon, &facts, &k->table);
}

static void turn(Keeper *k) {
    struct pollfd *fds = k->watches;

    fds[WATCH_SIGNALS] = (struct pollfd){.fd = k->signal_fd, .events = POLLIN};
    fds[WATCH_LISTEN] =
        (struct pollfd){.fd = k->daemon.fd < 0 ? k->listen_fd : -1, .events = POLLIN};
    fds[WATCH_DAEMON] = (struct pollfd){
        .fd = k->daemon.fd, .events = (short)(k->daemon.full ? POLLIN | POLLOUT : POLLIN)};
    size_t n = watch_adopted(k, fds + _WATCH_MAX);

    wait_for_events(k, fds, _WATCH_MAX + n);
    dispatch(k, fds);
    dispatch_adopted(k, fds + _WATCH_MAX, n);

    uint64_t now = clock_usec(CLOCK_MONOTONIC);
    if (now >= k->lost_due_usec)
        keeper_lost_tick(k, now);
    if (k->stopping && now >= k->extend_usec) {
        keeper_notify("STOPPING=1\nEXTEND_TIMEOUT_USEC=30000000");
        k->extend_usec = now + EXTEND_INTERVAL_USEC;
    }
    send_news(k);
}

/* Whether there is nobody to work for. A daemon that connects just now is one. */
static bool is_idle(Keeper *k) {
    if (k->table.count > 0)
        return false;
    if (k->stopping)
        return true;
    if (k->service || k->daemon.fd >= 0)
        return false;
    if (!k->had_daemon && clock_usec(CLOCK_MONOTONIC) < k->begin_usec + IDLE_BEGIN_USEC)
        return false;
    return !keeper_connection_accept(&k->daemon, k->listen_fd);
}

/* ---- life ---- */

/* All signals are blocked, none is ignored: a write to a closed socket or beyond a size limit gives
 * an error then, and there is nothing to undo for shims and commands. */
static int take_signals(Keeper *k) {
    sigset_t all, ours;

    sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
        return -errno;
    for (int sig = 1; sig < SIGRTMIN; sig++)
        (void)signal(sig, SIG_DFL);
    sigemptyset(&ours);
    sigaddset(&ours, SIGCHLD);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGHUP);
    k->signal_fd = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    return k->signal_fd < 0 ? -errno : 0;
}

/* Makes 0, 1 and 2 be something, so that no descriptor of ours is in the way of a command's. */
static int fill_stdio(void) {
    int fd;

    do {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
            return -errno;
    } while (fd < 3);
    close(fd);
    return 0;
}

/* Who waits for the end of a pipe that was our stdout knows that we listen. */
static void detach(void) {
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);

    (void)setsid();
    for (int i = 0; fd >= 0 && i < 3; i++)
        (void)dup2(fd, i);
    close_fd(fd);
}

static int setup(Keeper *k, bool anew) {
    char self[PATH_MAX];

    int r = fill_stdio();
    if (r < 0)
        return r;
    /* What the starter failed to mark close-on-exec is neither for us nor for the commands. */
    if (!anew && close_range(STDERR_FILENO + 1, ~0U, 0) < 0)
        return -errno;
    /* Now: when it is needed the file may be another, and this one's name changed. */
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (n < 0)
        return -errno;
    self[n] = '\0';
    k->self = strdup(self);
    if (!k->self)
        return -ENOMEM;
    r = take_signals(k);
    if (r < 0)
        return r;
    (void)prctl(PR_SET_NAME, "longrun-keeper");
    return prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ? -errno : 0;
}

/* Why there is no cgroup is for whoever looks at the service; the tasks can do without. */
static void setup_cgroup(Keeper *k) {
    const char *what;
    char text[256];

    int r = keeper_cgroup_setup(&k->cgroup, &what);
    if (r < 0) {
        snprintf(text, sizeof(text), "STATUS=Tasks run without cgroups: cannot %s: %s", what,
                 strerror(-r));
        log_warning("%s", text + strlen("STATUS="));
        keeper_notify(text);
    }
}

static int begin(Keeper *k) {
    int r = keeper_open_folder(k);
    if (r == -EADDRINUSE)
        log_error("Another keeper is at work in %s", k->dir);
    else if (r < 0)
        log_error("Cannot listen in %s: %s", k->dir, strerror(-r));
    if (r < 0)
        return r;
    if (k->service)
        setup_cgroup(k);
    return keeper_adopt(k);
}

static int run(Keeper *k, const KeeperOptions *options) {
    int r = setup(k, options->state_fd >= 0);

    if (r < 0)
        return log_error_errno(r, "Cannot begin");
    r = options->state_fd >= 0 ? keeper_take_state(k, options->state_fd) : begin(k);
    if (r < 0)
        return r;
    /* Of those that are to be watched there will not be more. */
    k->watches = calloc(_WATCH_MAX + k->table.count, sizeof(struct pollfd));
    if (!k->watches)
        return -ENOMEM;
    if (options->state_fd >= 0) {
        keeper_connection_greet(&k->daemon);
        reap(k); /* resetting what SIGCHLD does has thrown away one that was waiting */
    } else if (k->service)
        keeper_notify("READY=1");
    else
        detach();
    while (!is_idle(k))
        turn(k);
    return 0;
}

int keeper_main(const KeeperOptions *options) {
    static Keeper keeper;
    Keeper *k = &keeper;

    *k = (Keeper){.dir = options->dir,
                  .dir_fd = -EBADF,
                  .listen_fd = -EBADF,
                  .signal_fd = -EBADF,
                  .daemon.fd = -EBADF,
                  .service = options->service,
                  .begin_usec = clock_usec(CLOCK_MONOTONIC),
                  .lost_due_usec = USEC_INFINITY,
                  .lost_interval_usec = KEEPER_LOST_INTERVAL_USEC};
    int r = run(k, options);
    if (k->listen_fd >= 0)
        keeper_remove_socket(k);
    keeper_connection_close(&k->daemon);
    keeper_table_done(&k->table);
    free(k->watches);
    free(k->self);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
