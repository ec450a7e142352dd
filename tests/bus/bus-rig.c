#include "tests/bus/bus-rig.h"

#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd-io.h"
#include "common/log.h"

#define DEADLINE_USEC (20 * USEC_PER_SEC)

static void make_dirs(BusRig *rig, const char *config) {
    char path[128];

    strcpy(rig->dir, "/tmp/bus-rig.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(rig->dir));
    snprintf(path, sizeof(path), "%s/run", rig->dir);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    setenv("XDG_RUNTIME_DIR", path, 1);
    snprintf(path, sizeof(path), "%s/state", rig->dir);
    setenv("XDG_STATE_HOME", path, 1);
    setenv("HOME", rig->dir, 1);
    snprintf(path, sizeof(path), "%s/longrun.conf", rig->dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fd_write_full(fd, config, strlen(config)), 0);
    close(fd);
}

static void attach_manager(BusRig *rig) {
    _cleanup_error_ Error error = {};
    int r = manager_attach_bus(rig->manager, rig->server, &error);

    ck_assert_msg(r >= 0, "%s", strempty(error.message));
}

static void connect_ends(BusRig *rig) {
    sd_id128_t id;
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_ge(sd_id128_randomize(&id), 0);

    ck_assert_int_ge(sd_bus_new(&rig->server), 0);
    ck_assert_int_ge(sd_bus_set_fd(rig->server, pair[0], pair[0]), 0);
    ck_assert_int_ge(sd_bus_set_server(rig->server, true, id), 0);
    ck_assert_int_ge(sd_bus_negotiate_fds(rig->server, true), 0);
    ck_assert_int_ge(sd_bus_attach_event(rig->server, rig->event, 0), 0);
    if (rig->fake)
        ck_assert_int_ge(
            bus_new(&rig->fake->bus, rig->server, rig->event, &rig->fake->api, rig->fake), 0);
    else
        attach_manager(rig);
    ck_assert_int_ge(sd_bus_start(rig->server), 0);

    ck_assert_int_ge(sd_bus_new(&rig->client), 0);
    ck_assert_int_ge(sd_bus_set_fd(rig->client, pair[1], pair[1]), 0);
    ck_assert_int_ge(sd_bus_negotiate_fds(rig->client, true), 0);
    ck_assert_int_ge(sd_bus_attach_event(rig->client, rig->event, 0), 0);
    ck_assert_int_ge(sd_bus_start(rig->client), 0);
}

void bus_rig_setup(BusRig *rig, const char *config) {
    Error error = {};
    char config_path[128];
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    log_set_max_level(LOG_WARNING);

    make_dirs(rig, config);
    snprintf(config_path, sizeof(config_path), "%s/longrun.conf", rig->dir);
    ck_assert_int_ge(sd_event_new(&rig->event), 0);
    ManagerOptions options = {.config_path = config_path,
                              .libexec_dir = getenv("LONGRUN_LIBEXECDIR") ?: "/nonexistent"};
    int r = manager_new(&rig->manager, rig->event, &options, &error);
    ck_assert_msg(r >= 0, "manager_new: %s", error.message ?: strerror(-r));
    connect_ends(rig);
}

void bus_rig_setup_fake(BusRig *rig, FakeDaemon *fake) {
    log_set_max_level(LOG_WARNING);
    *rig = (BusRig){.fake = fake};
    ck_assert_int_ge(sd_event_new(&rig->event), 0);
    fake_daemon_init(fake, rig->event);
    connect_ends(rig);
}

static void disconnect(BusRig *rig) {
    sd_bus_flush_close_unref(rig->client);
    sd_bus_flush_close_unref(rig->server);
    sd_event_unref(rig->event);
}

void bus_rig_teardown(BusRig *rig) {
    char command[128];

    if (rig->fake) {
        bus_free(rig->fake->bus);
        fake_daemon_done(rig->fake);
        disconnect(rig);
        return;
    }
    manager_stop(rig->manager, 0);
    ck_assert_int_eq(sd_event_loop(rig->event), 0);
    manager_free(rig->manager);
    disconnect(rig);
    snprintf(command, sizeof(command), "rm -rf '%s'", rig->dir);
    ck_assert_int_eq(system(command), 0);
}

void bus_rig_run_until(BusRig *rig, bool (*holds)(void *userdata), void *userdata) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + DEADLINE_USEC;

    while (!holds(userdata)) {
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        ck_assert_msg(now < deadline, "the event did not come in time");
        ck_assert_int_ge(sd_event_run(rig->event, deadline - now), 0);
    }
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    *(sd_bus_message **)userdata = sd_bus_message_ref(m);
    return 0;
}

static bool has_answer(void *userdata) {
    return *(sd_bus_message **)userdata;
}

static sd_bus_message *call(BusRig *rig, const char *path, const char *interface,
                            const char *member, const char *types, va_list ap) {
    sd_bus_message *m = NULL, *answer = NULL;

    ck_assert_int_ge(
        sd_bus_message_new_method_call(rig->client, &m, LONGRUN_BUS_NAME, path, interface, member),
        0);
    ck_assert_int_ge(sd_bus_message_appendv(m, types, ap), 0);
    ck_assert_int_ge(sd_bus_call_async(rig->client, NULL, m, on_answer, &answer, UINT64_MAX), 0);
    sd_bus_message_unref(m);
    bus_rig_run_until(rig, has_answer, &answer);
    return answer;
}

sd_bus_message *bus_rig_call(BusRig *rig, const char *path, const char *interface,
                             const char *member, const char *types, ...) {
    va_list ap;

    va_start(ap, types);
    sd_bus_message *answer = call(rig, path, interface, member, types, ap);
    va_end(ap);
    return answer;
}

sd_bus_message *bus_rig_call_good(BusRig *rig, const char *path, const char *interface,
                                  const char *member, const char *types, ...) {
    va_list ap;

    va_start(ap, types);
    sd_bus_message *answer = call(rig, path, interface, member, types, ap);
    va_end(ap);
    ck_assert_msg(!sd_bus_message_is_method_error(answer, NULL), "%s: %s", member,
                  sd_bus_message_get_error(answer) ? sd_bus_message_get_error(answer)->message
                                                   : "?");
    return answer;
}

void bus_rig_assert_error(sd_bus_message *answer, const char *name, const char *part) {
    const sd_bus_error *error = sd_bus_message_get_error(answer);
    char full[128];

    snprintf(full, sizeof(full), "org.longrun.Longrun1.Error.%s", name);
    ck_assert_msg(error, "no error, but %s was expected", name);
    ck_assert_str_eq(error->name, full);
    ck_assert_msg(strstr(error->message, part), "\"%s\" is not in \"%s\"", part, error->message);
    sd_bus_message_unref(answer);
}

uint64_t bus_rig_start(BusRig *rig, const char *kind, const char *params) {
    uint64_t id;
    sd_bus_message *m = bus_rig_call_good(rig, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE,
                                          "Start", "sa{sv}", kind, 1, "params", "s", params);

    ck_assert_int_ge(sd_bus_message_read_basic(m, 't', &id), 0);
    sd_bus_message_unref(m);
    return id;
}

void bus_rig_task_path(char path[64], uint64_t id) {
    snprintf(path, 64, "%s/%" PRIu64, LONGRUN_TASK_PATH, id);
}

const char *bus_rig_wait(BusRig *rig, uint64_t id) {
    const char *state;
    char path[64];

    bus_rig_task_path(path, id);
    sd_bus_message *m = bus_rig_call_good(rig, path, LONGRUN_TASK_INTERFACE, "Wait", "");
    ck_assert_int_ge(sd_bus_message_read(m, "si", &state, NULL), 0);
    state = task_state_to_string(task_state_from_string(state));
    sd_bus_message_unref(m);
    return state;
}
