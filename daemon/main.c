#include "version.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/log.h"
#include "common/parse.h"
#include "daemon/bus/bus-api.h"
#include "daemon/journal.h"
#include "daemon/manager.h"

#define STOP_MARGIN_USEC (10 * USEC_PER_SEC)

static void print_help(void) {
    puts("longrund [OPTIONS]\n\n"
         "Runs long work in the background for one user and tells of it on the session bus\n"
         "(org.longrun.Longrun1). Usually started by systemd or D-Bus; see longrun(1) for the "
         "client.\n\n"
         "  --config FILE         configuration (default: ~/.config/longrun/longrun.conf)\n"
         "  --state-dir DIR       logs and state (default: ~/.local/state/longrun)\n"
         "  --max-parallel N      tasks that run at a time, 0 = no limit (default: the number of "
         "CPUs)\n"
         "  --debug               say more\n"
         "  -h, --help            this text\n"
         "  --version             the version");
}

/* Gives 1 to go on, 0 when all is said, -EINVAL after a complaint. */
static int parse_options(int argc, char **argv, ManagerOptions *ret) {
    enum {
        OPTION_CONFIG = 256,
        OPTION_STATE_DIR,
        OPTION_MAX_PARALLEL,
        OPTION_DEBUG,
        OPTION_VERSION
    };
    static const struct option options[] = {
        {"config", required_argument, NULL, OPTION_CONFIG},
        {"state-dir", required_argument, NULL, OPTION_STATE_DIR},
        {"max-parallel", required_argument, NULL, OPTION_MAX_PARALLEL},
        {"debug", no_argument, NULL, OPTION_DEBUG},
        {"version", no_argument, NULL, OPTION_VERSION},
        {"help", no_argument, NULL, 'h'},
        {},
    };

    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;)
        switch (c) {
        case OPTION_CONFIG:
            ret->config_path = optarg;
            break;
        case OPTION_STATE_DIR:
            ret->state_dir = optarg;
            break;
        case OPTION_MAX_PARALLEL:
            if (parse_u32(optarg, &ret->max_parallel) < 0) {
                log_error("--max-parallel wants a number of tasks, not \"%s\"", optarg);
                return -EINVAL;
            }
            ret->has_max_parallel = true;
            break;
        case OPTION_DEBUG:
            log_set_max_level(LOG_DEBUG);
            break;
        case OPTION_VERSION:
            puts("longrund " LONGRUN_VERSION);
            return 0;
        case 'h':
            print_help();
            return 0;
        default:
            return -EINVAL;
        }
    if (optind < argc) {
        log_error(
            "longrund takes no arguments, but got \"%s\"; to run a command: longrun start -- %s",
            argv[optind], argv[optind]);
        return -EINVAL;
    }
    return 1;
}

/* ---- signals ---- */

static int on_stop_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
    log_info("Stopping: got SIG%s", sigabbrev_np((int)si->ssi_signo));
    /* Tasks on threads have some time to end, and the disk to take that down. */
    (void)sd_notifyf(false, "STOPPING=1\nSTATUS=Stopping\nEXTEND_TIMEOUT_USEC=%" PRIu64,
                     manager_stop_timeout(userdata) + STOP_MARGIN_USEC);
    manager_stop(userdata, EXIT_SUCCESS);
    return 0;
}

static int on_reload_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
    _cleanup_error_ Error error = {};

    if (manager_reload(userdata, &error) < 0)
        log_error("Kept the configuration as it was: %s", strempty(error.message));
    return 0;
}

static int watch_signals(sd_event *event, Manager *m) {
    int r = sd_event_add_signal(event, NULL, SIGTERM, on_stop_signal, m);

    if (r >= 0)
        r = sd_event_add_signal(event, NULL, SIGINT, on_stop_signal, m);
    if (r >= 0)
        r = sd_event_add_signal(event, NULL, SIGHUP, on_reload_signal, m);
    return r;
}

/* A thousand tasks at a time take some descriptors each. Gives the limit as it was, for the tasks.
 */
static uint64_t raise_nofile(void) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    uint64_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        log_warning_errno(-errno, "Cannot raise the limit on descriptors, ignoring");
    return before;
}

/* Before the first thread starts: the loop takes them by signalfd. */
static void prepare_process(void) {
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGHUP);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    signal(SIGPIPE, SIG_IGN);
    umask(0077);
}

/* ---- the bus ---- */

static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error) {
    log_error("The connection to the bus is lost, stopping");
    manager_stop(userdata, EXIT_FAILURE);
    return 0;
}

static int explain_taken_name(sd_bus *bus) {
    sd_bus_creds *creds = NULL;
    pid_t pid = 0;

    if (sd_bus_get_name_creds(bus, LONGRUN_BUS_NAME, SD_BUS_CREDS_PID, &creds) >= 0)
        (void)sd_bus_creds_get_pid(creds, &pid);
    sd_bus_creds_unref(creds);
    log_error("longrund runs on this bus already (pid %d owns " LONGRUN_BUS_NAME
              "): use that one, or stop it with \"systemctl --user stop longrund\"",
              pid);
    return -EEXIST;
}

static int attach_manager(Manager *m, sd_bus *bus) {
    _cleanup_error_ Error error = {};
    int r = manager_attach_bus(m, bus, &error);

    if (r == -EREMOTE)
        log_error("%s", strempty(error.message));
    return r;
}

static int connect_bus(sd_bus **ret, sd_event *event, Manager *m) {
    sd_bus *bus = NULL;
    int r = sd_bus_open_user(&bus);

    if (r < 0)
        return log_error_errno(r, "Cannot reach the session bus; set DBUS_SESSION_BUS_ADDRESS, "
                                  "or run inside dbus-run-session(1)");
    *ret = bus;
    r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        r = sd_bus_set_close_on_exit(bus, false); /* run() has something to say still */
    if (r >= 0)
        r = attach_manager(m, bus);
    if (r >= 0)
        r = sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus.Local",
                                "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
                                "Disconnected", on_disconnected, m);
    if (r == -EREMOTE)
        return r;
    if (r < 0)
        return log_error_errno(r, "Cannot set up the bus");
    /* The name is the lock: the bus gives it to one. */
    r = sd_bus_request_name(bus, LONGRUN_BUS_NAME, 0);
    if (r == -EEXIST)
        return explain_taken_name(bus);
    if (r < 0)
        return log_error_errno(r, "Cannot get the name " LONGRUN_BUS_NAME);
    return 0;
}

/* ---- all of it ---- */

/* The helpers lie beside the daemon, installed or not. */
static int find_libexec_dir(char *buf, size_t size) {
    ssize_t n = readlink("/proc/self/exe", buf, size - 1);

    if (n < 0)
        return -errno;
    buf[n] = '\0';
    char *slash = strrchr(buf, '/');
    if (!slash)
        return -ENOENT;
    *slash = '\0';
    return 0;
}

static int run(sd_event *event, Manager *m, sd_bus **bus) {
    int r = watch_signals(event, m);

    if (r >= 0)
        r = sd_event_set_watchdog(event, true);
    if (r < 0)
        return log_error_errno(r, "Cannot set up the event loop");
    r = connect_bus(bus, event, m);
    if (r < 0)
        return r;
    (void)sd_notify(false, "READY=1\nSTATUS=Waiting for tasks");
    log_info("longrund " LONGRUN_VERSION " is ready");
    r = sd_event_loop(event);
    /* The bus has taken all signals when it answers this. Without, those that it has not read yet
     * would be lost when it finds that there is nobody to send the next call to. */
    (void)sd_bus_call_method(*bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                             "org.freedesktop.DBus.Peer", "Ping", NULL, NULL, "");
    return r;
}

int main(int argc, char **argv) {
    _cleanup_error_ Error error = {};
    ManagerOptions options = {};
    char libexec_dir[PATH_MAX];
    sd_event *event = NULL;
    Manager *m = NULL;
    sd_bus *bus = NULL;

    journal_log_init();
    int r = parse_options(argc, argv, &options);
    if (r <= 0)
        return r < 0 ? 2 : EXIT_SUCCESS;
    prepare_process();
    options.nofile = raise_nofile();
    r = find_libexec_dir(libexec_dir, sizeof(libexec_dir));
    if (r >= 0)
        r = sd_event_default(&event);
    if (r < 0)
        log_error_errno(r, "Cannot set up the event loop");
    else {
        options.libexec_dir = libexec_dir;
        r = manager_new(&m, event, &options, &error);
        if (r == -EREMOTE)
            log_error("%s", strempty(error.message));
        else if (r < 0)
            log_error_errno(r, "Cannot start");
        else
            r = run(event, m, &bus);
    }
    if (m && manager_has_stuck_threads(m)) {
        sd_bus_flush_close_unref(bus);
        _exit(r < 0 ? EXIT_FAILURE : r);
    }
    manager_free(m);
    sd_bus_flush_close_unref(bus);
    sd_event_unref(event);
    return r < 0 ? EXIT_FAILURE : r;
}
