/* bench-client WHAT ...: makes longrund work and prints how long that took, in microseconds: one
 * number, or one a line for each of many. What there is to measure is in the table at the end. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/macro.h"
#include "tests/bench/bench-bus.h"
#include "tests/bench/bench-exit.h"

#define MANAGER "org.longrun.Longrun1.Manager"
#define TASK "org.longrun.Longrun1.Task"

static char *const command_true[] = {(char *)"true", NULL};

static void print_usec(uint64_t nsec) {
    printf("%.1f\n", (double)nsec / 1000);
}

static uint64_t parse_number(const char *text) {
    char *end;
    uint64_t n = strtoull(text, &end, 10);

    if (*end || n == 0 || n > 1000000)
        bench_fail(-EINVAL, text);
    return n;
}

/* --- many tasks at once --- */

/* Nobody else starts tasks meanwhile, so the ids are in a row. */
typedef struct Batch {
    uint64_t first; /* 0: not known yet */
    uint64_t n, ended;
    bool done;
} Batch;

static int on_tasks_finished(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Batch *b = userdata;
    const char *state;
    uint64_t id;
    int32_t code;
    int r = sd_bus_message_enter_container(m, 'a', "(tsi)");

    while (r >= 0 && (r = sd_bus_message_read(m, "(tsi)", &id, &state, &code)) > 0) {
        if (b->first == 0 || id < b->first || id >= b->first + b->n)
            continue;
        if (!streq(state, "succeeded"))
            bench_fail(-EPROTO, state);
        b->ended++;
    }
    if (r < 0)
        bench_fail(r, "cannot read TasksFinished");
    b->done = b->ended == b->n;
    return 0;
}

static int on_started(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Batch *b = userdata;
    uint64_t id;
    int r = sd_bus_message_get_errno(m);

    if (r > 0)
        bench_fail(-r, sd_bus_message_get_error(m)->message);
    r = sd_bus_message_read(m, "to", &id, NULL);
    if (r < 0)
        bench_fail(r, "cannot read an answer");
    if (b->first == 0)
        b->first = id;
    return 0;
}

static void start_commands(sd_bus *bus, Batch *b) {
    for (uint64_t i = 0; i < b->n; i++) {
        sd_bus_message *call = bench_new_start_command(bus, (char **)command_true);
        int r = sd_bus_call_async(bus, NULL, call, on_started, b, 0);
        if (r < 0)
            bench_fail(r, "cannot send a call");
        sd_bus_message_unref(call);
    }
}

static void append_task(sd_bus_message *call, const char *kind) {
    int r = streq(kind, "command")
                ? sd_bus_message_append(call, "(sa{sv})", kind, 1, "argv", "as", 1, command_true[0])
                : sd_bus_message_append(call, "(sa{sv})", kind, 0);

    if (r < 0)
        bench_fail(r, "cannot append a task");
}

static void start_many(sd_bus *bus, Batch *b, const char *kind) {
    sd_bus_message *call = bench_new_call(bus, MANAGER, "StartMany"), *reply;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = sd_bus_message_open_container(call, 'a', "(sa{sv})");

    for (uint64_t i = 0; r >= 0 && i < b->n; i++)
        append_task(call, kind);
    if (r >= 0)
        r = sd_bus_message_close_container(call);
    if (r >= 0)
        r = sd_bus_call(bus, call, 0, &error, &reply);
    if (r >= 0)
        r = sd_bus_message_enter_container(reply, 'a', "(to)");
    if (r >= 0)
        r = sd_bus_message_read(reply, "(to)", &b->first, NULL);
    if (r < 0)
        bench_fail(r, error.message ?: "cannot start the tasks");
    sd_bus_message_unref(reply);
    sd_bus_message_unref(call);
}

static void measure_batch(uint64_t n, const char *kind) {
    sd_bus *bus = bench_connect();
    Batch b = {.n = n};

    bench_match(bus, MANAGER, "TasksFinished", on_tasks_finished, &b);
    uint64_t begin = bench_nsec();
    if (kind)
        start_many(bus, &b, kind);
    else
        start_commands(bus, &b);
    bench_run_until(bus, &b.done);
    print_usec(bench_nsec() - begin);
    sd_bus_flush_close_unref(bus);
}

static void measure_commands(char **args) {
    measure_batch(parse_number(args[0]), NULL);
}

static void measure_many(char **args) {
    measure_batch(parse_number(args[0]), args[1]);
}

/* --- many tasks that wait --- */

#define FILL_CALL 10000 /* tasks in a call */

/* As one shell would start them: each with its own file names, all with the same environment. */
static int append_waiting(sd_bus_message *call, uint64_t n, const char *kind, uint64_t start_at) {
    char in[32], out[32];
    int r;

    if (!streq(kind, "command"))
        return sd_bus_message_append(call, "(sa{sv})", kind, 1, "start-at", "t", start_at);
    snprintf(in, sizeof(in), "clip-%06" PRIu64 ".mov", n);
    snprintf(out, sizeof(out), "clip-%06" PRIu64 ".mkv", n);
    r = sd_bus_message_open_container(call, 'r', "sa{sv}");
    if (r >= 0)
        r = sd_bus_message_append(call, "s", kind);
    if (r >= 0)
        r = sd_bus_message_append(call, "a{sv}", 4, "start-at", "t", start_at, "cwd", "s",
                                  "/var/tmp", "argv", "as", 4, "encode", "-i", in, out, "env", "as",
                                  4, "HOME=/root", "LANG=en_US.UTF-8",
                                  "PATH=/usr/local/bin:/usr/bin:/bin", "TERM=xterm-256color");
    return r < 0 ? r : sd_bus_message_close_container(call);
}

static void fill(sd_bus *bus, uint64_t first, uint64_t n, const char *kind, uint64_t start_at) {
    sd_bus_message *call = bench_new_call(bus, MANAGER, "StartMany");
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = sd_bus_message_open_container(call, 'a', "(sa{sv})");

    for (uint64_t i = first; r >= 0 && i < first + n; i++)
        r = append_waiting(call, i, kind, start_at);
    if (r >= 0)
        r = sd_bus_message_close_container(call);
    if (r >= 0)
        r = sd_bus_call(bus, call, 0, &error, NULL);
    if (r < 0)
        bench_fail(r, error.message ?: "cannot start the tasks");
    sd_bus_message_unref(call);
}

static void measure_fill(char **args) {
    uint64_t n = parse_number(args[0]), begin = bench_nsec();
    uint64_t start_at = ((uint64_t)time(NULL) + 86400) * USEC_PER_SEC;
    sd_bus *bus = bench_connect();

    for (uint64_t i = 0; i < n; i += FILL_CALL)
        fill(bus, i, MIN(n - i, (uint64_t)FILL_CALL), args[1], start_at);
    print_usec(bench_nsec() - begin);
    sd_bus_flush_close_unref(bus);
}

/* --- one call after another --- */

static void measure_submit(char **args) {
    uint64_t n = parse_number(args[0]);
    sd_bus *bus = bench_connect();

    for (uint64_t i = 0; i < n; i++) {
        uint64_t begin = bench_nsec();
        (void)bench_start(bus, bench_new_start_command(bus, (char **)command_true));
        print_usec(bench_nsec() - begin);
    }
    sd_bus_flush_close_unref(bus);
}

static void measure_ping(char **args) {
    uint64_t n = parse_number(args[0]);
    sd_bus *bus = bench_connect();

    for (uint64_t i = 0; i < n; i++) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        uint64_t begin = bench_nsec();
        sd_bus_message *call = bench_new_call(bus, "org.freedesktop.DBus.Peer", "Ping");
        int r = sd_bus_call(bus, call, 0, &error, NULL);
        if (r < 0)
            bench_fail(r, error.message ?: "Ping");
        print_usec(bench_nsec() - begin);
        sd_bus_message_unref(call);
    }
    sd_bus_flush_close_unref(bus);
}

/* As somebody who works with a window: a call now and then. */
static void measure_paced(char **args) {
    uint64_t n = parse_number(args[0]), pause_usec = parse_number(args[1]);
    sd_bus *bus = bench_connect();

    for (uint64_t i = 0; i < n; i++) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *call = bench_new_call(bus, MANAGER, "CountTasks"), *answer = NULL;
        int r = sd_bus_message_append(call, "a{sv}", 0);
        uint64_t begin = bench_nsec();
        if (r >= 0)
            r = sd_bus_call(bus, call, 0, &error, &answer);
        if (r < 0)
            bench_fail(r, error.message ?: "CountTasks");
        print_usec(bench_nsec() - begin);
        sd_bus_message_unref(call);
        sd_bus_message_unref(answer);
        (void)usleep((useconds_t)pause_usec);
    }
    sd_bus_flush_close_unref(bus);
}

/* --- the end of a process --- */

/* The task that is under way. */
typedef struct Current {
    uint64_t id;
    uint64_t finished_nsec;
    bool done;
} Current;

static int on_finished(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    uint64_t now = bench_nsec();
    Current *c = userdata;
    const char *name = strrchr(sd_bus_message_get_path(m), '/') + 1, *state;
    int r = sd_bus_message_read(m, "sis", &state, NULL, NULL);

    if (r < 0 || strtoull(name, NULL, 10) != c->id)
        return r;
    if (!streq(state, "succeeded"))
        bench_fail(-EPROTO, state);
    c->finished_nsec = now;
    c->done = true;
    return 0;
}

static void run_task(sd_bus *bus, Current *c, char **argv) {
    c->done = false;
    c->id = bench_start(bus, bench_new_start_command(bus, argv));
    bench_run_until(bus, &c->done);
}

static int open_records(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        bench_fail(-errno, path);
    return fd;
}

/* The record that was appended last. */
static uint64_t read_exit_time(int fd, uint64_t id) {
    ExitRecord record = {};

    if (read(fd, &record, sizeof(record)) != sizeof(record) || record.id != id)
        bench_fail(-EPROTO, "bench-exit has not left the expected record");
    return record.nsec;
}

static void measure_finish(char **args) {
    char *argv[] = {args[1], args[2], NULL};
    uint64_t n = parse_number(args[0]);
    sd_bus *bus = bench_connect();
    int records = open_records(args[2]);
    Current c = {};

    bench_match(bus, TASK, "Finished", on_finished, &c);
    for (uint64_t i = 0; i < n; i++) {
        run_task(bus, &c, argv);
        print_usec(c.finished_nsec - read_exit_time(records, c.id));
    }
    close(records);
    sd_bus_flush_close_unref(bus);
}

/* What is possible at best: the parent waits for nothing else. */
static void measure_waitpid(char **args) {
    char *argv[] = {args[1], args[2], NULL}, *env[] = {(char *)"LONGRUN_TASK_ID=1", NULL};
    uint64_t n = parse_number(args[0]);
    int records = open_records(args[2]);

    for (uint64_t i = 0; i < n; i++) {
        int status;
        pid_t pid;
        int r = posix_spawn(&pid, argv[0], NULL, NULL, argv, env);
        if (r > 0)
            bench_fail(-r, argv[0]);
        if (waitpid(pid, &status, 0) < 0 || status != 0)
            bench_fail(-EPROTO, argv[0]);
        uint64_t now = bench_nsec();
        print_usec(now - read_exit_time(records, 1));
    }
    close(records);
}

/* The id of the task comes first, in a line of its own. */
static void measure_command(char **args) {
    sd_bus *bus = bench_connect();
    Current c = {};

    bench_match(bus, TASK, "Finished", on_finished, &c);
    uint64_t begin = bench_nsec();
    run_task(bus, &c, args);
    printf("%" PRIu64 "\n", c.id);
    print_usec(c.finished_nsec - begin);
    sd_bus_flush_close_unref(bus);
}

/* --- all of them are there --- */

typedef struct Answers {
    uint64_t wanted, n;
    bool done;
} Answers;

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Answers *a = userdata;
    int r = sd_bus_message_get_errno(m);

    if (r > 0)
        bench_fail(-r, sd_bus_message_get_error(m)->message);
    a->done = ++a->n == a->wanted;
    return 0;
}

/* A signal that does nothing to each of the tasks 1 to N: answered when it has a process that is
 * under control. */
static void measure_control(char **args) {
    Answers a = {.wanted = parse_number(args[0])};
    uint64_t begin = bench_nsec();
    sd_bus *bus = bench_connect();

    for (uint64_t id = 1; id <= a.wanted; id++) {
        char path[64];
        snprintf(path, sizeof(path), "/org/longrun/Longrun1/task/%" PRIu64, id);
        int r = sd_bus_call_method_async(bus, NULL, "org.longrun.Longrun1", path, TASK, "Kill",
                                         on_answer, &a, "i", SIGCONT);
        if (r < 0)
            bench_fail(r, "cannot send a call");
    }
    bench_run_until(bus, &a.done);
    print_usec(bench_nsec() - begin);
    sd_bus_flush_close_unref(bus);
}

/* --- lists --- */

static void append_filter(sd_bus_message *call, char **words) {
    int r = sd_bus_message_open_container(call, 'a', "{sv}");

    while (r >= 0 && *words) {
        const char *key = *words++;
        if (streq(key, "newest-first"))
            r = sd_bus_message_append(call, "{sv}", key, "b", 1);
        else if (streq(key, "states"))
            r = sd_bus_message_append(call, "{sv}", key, "as", 1, *words++);
        else
            r = sd_bus_message_append(call, "{sv}", key, "s", *words++);
    }
    if (r >= 0)
        r = sd_bus_message_close_container(call);
    if (r < 0)
        bench_fail(r, "cannot append a filter");
}

static void measure_list(char **args) {
    uint64_t n = parse_number(args[0]);
    sd_bus *bus = bench_connect();

    for (uint64_t i = 0; i < n; i++) {
        sd_bus_message *call = bench_new_call(bus, MANAGER, "ListTasks"), *reply = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        append_filter(call, args + 1);
        uint64_t begin = bench_nsec();
        int r = sd_bus_call(bus, call, 0, &error, &reply);
        if (r < 0)
            bench_fail(r, error.message ?: "ListTasks");
        print_usec(bench_nsec() - begin);
        sd_bus_message_unref(reply);
        sd_bus_message_unref(call);
    }
    sd_bus_flush_close_unref(bus);
}

/* clang-format off */
static const struct {
    const char *name, *args;
    int min_args, max_args;
    void (*func)(char **args);
} measurements[] = {
    {"commands", "N              from N calls StartCommand, sent in one go, to the last end", 1, 1, measure_commands},
    {"many",     "N KIND         from StartMany with N tasks to the last end", 2, 2, measure_many},
    {"fill",     "N KIND         StartMany of N tasks that wait for tomorrow, in calls of 10000", 2, 2, measure_fill},
    {"submit",   "N              StartCommand to its answer, N times", 1, 1, measure_submit},
    {"ping",     "N              the same of a call that does nothing", 1, 1, measure_ping},
    {"paced",    "N USEC         CountTasks to its answer, N times with such pauses", 2, 2, measure_paced},
    {"finish",   "N PROGRAM FILE from the exit of bench-exit to Finished, N times", 3, 3, measure_finish},
    {"waitpid",  "N PROGRAM FILE the same to the end of waitpid(2) in a parent", 3, 3, measure_waitpid},
    {"control",  "N              a call to each of the tasks 1 to N, to the last answer", 1, 1, measure_control},
    {"list",     "N FILTER...    ListTasks, a page of 100, N times; FILTER: states STATE, group NAME, newest-first", 1, INT32_MAX, measure_list},
    {"command",  "COMMAND...     from StartCommand to Finished", 1, INT32_MAX, measure_command},
};
/* clang-format on */

int main(int argc, char **argv) {
    for (size_t i = 0; argc >= 2 && i < ELEMENTSOF(measurements); i++)
        if (streq(argv[1], measurements[i].name) && argc - 2 >= measurements[i].min_args &&
            argc - 2 <= measurements[i].max_args) {
            measurements[i].func(argv + 2);
            return EXIT_SUCCESS;
        }
    for (size_t i = 0; i < ELEMENTSOF(measurements); i++)
        fprintf(stderr, "bench-client %-8s %s\n", measurements[i].name, measurements[i].args);
    return EXIT_FAILURE;
}
