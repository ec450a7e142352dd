#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/bus/bus-emit.h"
#include "daemon/bus/bus-fields.h"
#include "daemon/core/task-options.h"
#include "tests/bus/bus-rig.h"

/* What goes in as an option comes out as a property and in lists; what else there is to see. */

static BusRig rig;
static FakeDaemon fake;

static void setup(void) {
    bus_rig_setup_fake(&rig, &fake);
}

static void teardown(void) {
    bus_rig_teardown(&rig);
}

#define MANAGER(...) bus_rig_call(&rig, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, __VA_ARGS__)

static sd_bus_message *get(const char *path, const char *interface, const char *property) {
    return bus_rig_call_good(&rig, path, "org.freedesktop.DBus.Properties", "Get", "ss", interface,
                             property);
}

static sd_bus_message *get_of_task(uint64_t id, const char *property) {
    char path[64];

    bus_rig_task_path(path, id);
    return get(path, LONGRUN_TASK_INTERFACE, property);
}

/* ---- options ---- */

static const struct {
    const char *option, *type, *property;
    uint64_t number;
    const char *text;
} options[] = {
    {"label", "s", "Label", .text = "a name"},
    {"group", "s", "Group", .text = "default"},
    {"cwd", "s", "Cwd", .text = "/tmp"},
    {"unique", "s", "Unique", .text = "k"},
    {"params", "s", "Params", .text = "{}"},
    {"on-interrupt", "s", "OnInterrupt", .text = "restart"},
    {"notify", "b", "Notify", 0},
    {"clear-env", "b", "ClearEnv", 1},
    {"isolate", "b", "Isolate", 1},
    {"umask", "u", "Umask", 0077},
    {"cpu-weight", "u", "CpuWeight", 10000},
    {"nice", "i", "Nice", (uint32_t)-20},
    {"timeout", "t", "Timeout", 1000001},
    {"idle-timeout", "t", "IdleTimeout", 1000002},
    {"queue-timeout", "t", "QueueTimeout", 1000003},
    {"stop-timeout", "t", "StopTimeout", 1000004},
    {"memory-max", "t", "MemoryMax", UINT64_C(1) << 40},
    {"pids-max", "t", "PidsMax", 77},
    {"log-max", "t", "LogMax", UINT64_C(1) << 41},
    {"result-max", "t", "ResultMax", 4096},
    {"priority", "i", "Priority", (uint32_t)-7},
    {"when-online", "s", "WhenOnline", .text = "nas"},
    {"start-at", "t", "StartAt", UINT64_C(4102444800000000)},
    {"parent", "t", "Parent", 12},
    {"retries", "u", "Retries", 3},
    {"retry-delay", "t", "RetryDelay", 1000005},
    {"every", "t", "Every", 1000006},
    {"calendar", "s", "Calendar", .text = "Mon..Fri 09:00"},
    {"persistent", "b", "Persistent", 1},
    {"stdin-open", "b", "StdinOpen", 1},
    {"pty", "b", "Pty", 1},
    {"pty-size", "s", "PtySize", .text = "65535x1"},
};

/* What they go with. */
static const struct {
    const char *option, *needs, *type;
    uint64_t number;
    const char *text;
} needs[] = {
    {"retry-delay", "retries", "u", 1, NULL},
    {"persistent", "calendar", "s", 0, "daily"},
};

/* value: a text, or a number that is narrowed to its type. */
static void append_option(sd_bus_message *m, const char *name, const char *type, uint64_t number,
                          const char *text) {
    const void *value = type[0] == 's' ? (const void *)text : &number;

    ck_assert_int_ge(sd_bus_message_open_container(m, 'e', "sv"), 0);
    ck_assert_int_ge(sd_bus_message_append_basic(m, 's', name), 0);
    ck_assert_int_ge(sd_bus_message_open_container(m, 'v', type), 0);
    ck_assert_int_ge(sd_bus_message_append_basic(m, type[0], value), 0);
    ck_assert_int_ge(sd_bus_message_close_container(m), 0);
    ck_assert_int_ge(sd_bus_message_close_container(m), 0);
}

static void assert_value(sd_bus_message *m, const char *type, uint64_t number, const char *text) {
    union {
        const char *s;
        uint64_t t;
        uint32_t u; /* i and b as well */
    } value = {};

    ck_assert_int_ge(sd_bus_message_enter_container(m, 'v', type), 0);
    ck_assert_int_ge(sd_bus_message_read_basic(m, type[0], &value), 0);
    if (type[0] == 's')
        ck_assert_str_eq(value.s, text);
    else
        ck_assert_uint_eq(type[0] == 't' ? value.t : value.u, number);
    sd_bus_message_unref(m);
}

static int on_started(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    ck_assert_int_ge(sd_bus_message_read_basic(m, 't', userdata), 0);
    return 0;
}

static bool is_set(void *userdata) {
    return *(const uint64_t *)userdata != 0;
}

static uint64_t start_with(size_t i) {
    uint64_t id = 0;
    sd_bus_message *m;

    ck_assert_int_ge(sd_bus_message_new_method_call(rig.client, &m, LONGRUN_BUS_NAME,
                                                    LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE,
                                                    "Start"),
                     0);
    ck_assert_int_ge(sd_bus_message_append_basic(m, 's', "noop"), 0);
    ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "{sv}"), 0);
    append_option(m, options[i].option, options[i].type, options[i].number, options[i].text);
    if (strcmp(options[i].option, "isolate") != 0)
        append_option(m, "isolate", "b", 1, NULL);
    for (size_t j = 0; j < ELEMENTSOF(needs); j++)
        if (strcmp(options[i].option, needs[j].option) == 0)
            append_option(m, needs[j].needs, needs[j].type, needs[j].number, needs[j].text);
    ck_assert_int_ge(sd_bus_message_close_container(m), 0);
    ck_assert_int_ge(sd_bus_call_async(rig.client, NULL, m, on_started, &id, UINT64_MAX), 0);
    sd_bus_message_unref(m);
    bus_rig_run_until(&rig, is_set, &id);
    return id;
}

START_TEST(an_option_is_a_property_and_listed) {
    uint64_t id = start_with((size_t)_i);

    assert_value(get_of_task(id, options[_i].property), options[_i].type, options[_i].number,
                 options[_i].text);
    const BusField *f = bus_field_by_property(options[_i].property);
    ck_assert_ptr_nonnull(f);
    ck_assert_str_eq(f->key, options[_i].option);
    ck_assert(!f->hidden);
}
END_TEST

/* ---- options that are lists ---- */

static const struct {
    const char *option, *type, *property;
} lists[] = {
    {"after", "at", "After"},
    {"after-any", "at", "AfterAny"},
    {"retry-on", "ai", "RetryOn"},
    {"after-failed", "at", "AfterFailed"},
    {"resources", "a{su}", "Resources"},
};

static void append_list(sd_bus_message *m, const char *type) {
    int r = strcmp(type, "at") == 0
                ? sd_bus_message_append(m, "at", 3, UINT64_C(7), UINT64_MAX, UINT64_C(7))
            : strcmp(type, "ai") == 0 ? sd_bus_message_append(m, "ai", 2, 9, 3)
                                      : sd_bus_message_append(m, "a{su}", 2, "net", 1, "gpu", 2);

    ck_assert_int_ge(r, 0);
}

/* In order, and each once. */
static void assert_list(sd_bus_message *m, const char *type) {
    uint64_t a, b;
    int32_t c, d;
    uint32_t x, y;
    const char *s, *t;

    ck_assert_int_ge(sd_bus_message_enter_container(m, 'v', type), 0);
    if (strcmp(type, "at") == 0) {
        ck_assert_int_gt(sd_bus_message_read(m, "at", 2, &a, &b), 0);
        ck_assert(a == 7 && b == UINT64_MAX);
    } else if (strcmp(type, "ai") == 0) {
        ck_assert_int_gt(sd_bus_message_read(m, "ai", 2, &c, &d), 0);
        ck_assert(c == 3 && d == 9);
    } else {
        ck_assert_int_gt(sd_bus_message_read(m, "a{su}", 2, &s, &x, &t, &y), 0);
        ck_assert(strcmp(s, "gpu") == 0 && x == 2 && strcmp(t, "net") == 0 && y == 1);
    }
    ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
    sd_bus_message_unref(m);
}

START_TEST(a_list_is_a_property) {
    uint64_t id = 0;
    sd_bus_message *m;

    for (int with = 1; with >= 0; with--) {
        ck_assert_int_ge(sd_bus_message_new_method_call(rig.client, &m, LONGRUN_BUS_NAME,
                                                        LONGRUN_ROOT_PATH,
                                                        LONGRUN_MANAGER_INTERFACE, "Start"),
                         0);
        ck_assert_int_ge(sd_bus_message_append_basic(m, 's', "noop"), 0);
        ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "{sv}"), 0);
        append_option(m, "retries", "u", 1, NULL);
        if (with) {
            ck_assert_int_ge(sd_bus_message_open_container(m, 'e', "sv"), 0);
            ck_assert_int_ge(sd_bus_message_append_basic(m, 's', lists[_i].option), 0);
            ck_assert_int_ge(sd_bus_message_open_container(m, 'v', lists[_i].type), 0);
            append_list(m, lists[_i].type);
            ck_assert_int_ge(sd_bus_message_close_container(m), 0);
            ck_assert_int_ge(sd_bus_message_close_container(m), 0);
        }
        ck_assert_int_ge(sd_bus_message_close_container(m), 0);
        id = 0;
        ck_assert_int_ge(sd_bus_call_async(rig.client, NULL, m, on_started, &id, UINT64_MAX), 0);
        sd_bus_message_unref(m);
        bus_rig_run_until(&rig, is_set, &id);
        m = get_of_task(id, lists[_i].property);
        if (with) {
            assert_list(m, lists[_i].type);
            continue;
        }
        ck_assert_int_ge(sd_bus_message_enter_container(m, 'v', lists[_i].type), 0);
        ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', NULL), 0);
        ck_assert_int_eq(sd_bus_message_at_end(m, false), 1);
        sd_bus_message_unref(m);
    }
}
END_TEST

START_TEST(lists_that_are_refused) {
    bus_rig_assert_error(MANAGER("Start", "sa{sv}", "noop", 1, "after", "as", 1, "7"),
                         "InvalidOption", "option after is of type at, not as");
    bus_rig_assert_error(MANAGER("Start", "sa{sv}", "noop", 1, "resources", "a{st}", 0),
                         "InvalidOption", "option resources is of type a{su}, not a{st}");
    bus_rig_assert_error(MANAGER("Start", "sa{sv}", "noop", 1, "after", "at", 1, UINT64_C(0)),
                         "InvalidOption", "after names task 0");
    bus_rig_assert_error(MANAGER("Start", "sa{sv}", "noop", 2, "after", "at", 0, "after", "at", 0),
                         "InvalidOption", "option after is given twice");
    /* An option of which the bit is beyond the first 32. */
    bus_rig_assert_error(
        MANAGER("Start", "sa{sv}", "noop", 2, "calendar", "s", "", "calendar", "s", ""),
        "InvalidOption", "option calendar is given twice");
    ck_assert_ptr_null(task_table_begin(&fake.memory, false));
}
END_TEST

START_TEST(places_in_a_call) {
    const TaskTable *table = &fake.memory;

    bus_rig_assert_error(MANAGER("Start", "sa{sv}", "noop", 1, "after-index", "at", 1, UINT64_C(0)),
                         "InvalidOption", "after-index names places of the same StartMany");
    bus_rig_assert_error(MANAGER("StartMany", "a(sa{sv})", 2, "noop", 0, "noop", 1, "after-index",
                                 "at", 1, UINT64_C(1)),
                         "InvalidOption", "tasks[1]: after-index 1 is no place before this one");
    ck_assert_ptr_null(task_table_begin(table, false));
    sd_bus_message *answer = MANAGER("StartMany", "a(sa{sv})", 2, "noop", 0, "noop", 1,
                                     "after-index", "at", 1, UINT64_C(0));
    ck_assert(!sd_bus_message_is_method_error(answer, NULL));
    sd_bus_message_unref(answer);
    const Task *second = task_table_begin(table, true);
    ck_assert_uint_eq(second->spec->after_index->n, 1);
    ck_assert_uint_gt(second->spec->packed, 0);
}
END_TEST

/* ---- stdin ---- */

static uint64_t start_command(const char *option, const char *type, const void *value,
                              size_t size) {
    uint64_t id = 0;
    sd_bus_message *m;

    ck_assert_int_ge(sd_bus_message_new_method_call(rig.client, &m, LONGRUN_BUS_NAME,
                                                    LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE,
                                                    "StartCommand"),
                     0);
    ck_assert_int_ge(sd_bus_message_append(m, "as", 1, "cat"), 0);
    ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "{sv}"), 0);
    ck_assert_int_ge(sd_bus_message_open_container(m, 'e', "sv"), 0);
    ck_assert_int_ge(sd_bus_message_append_basic(m, 's', option), 0);
    ck_assert_int_ge(sd_bus_message_open_container(m, 'v', type), 0);
    if (type[0] == 'a')
        ck_assert_int_ge(sd_bus_message_append_array(m, 'y', value, size), 0);
    else
        ck_assert_int_ge(sd_bus_message_append_basic(m, 's', value), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_ge(sd_bus_message_close_container(m), 0);
    ck_assert_int_ge(sd_bus_call_async(rig.client, NULL, m, on_started, &id, UINT64_MAX), 0);
    sd_bus_message_unref(m);
    bus_rig_run_until(&rig, is_set, &id);
    return id;
}

/* Any bytes; they are long, and so neither in lists nor in GetAll. */
START_TEST(stdin_is_kept_apart) {
    static const char data[] = "\0\xff\nx";
    uint64_t id = start_command("stdin", "ay", data, sizeof(data));
    const BusField *f = bus_field_by_property("Stdin");
    const void *bytes;
    size_t size;

    sd_bus_message *m = get_of_task(id, "Stdin");
    ck_assert_int_ge(sd_bus_message_enter_container(m, 'v', "ay"), 0);
    ck_assert_int_ge(sd_bus_message_read_array(m, 'y', &bytes, &size), 0);
    ck_assert_uint_eq(size, sizeof(data));
    ck_assert_mem_eq(bytes, data, size);
    sd_bus_message_unref(m);
    ck_assert(f->hidden);
    ck_assert(f->flags & SD_BUS_VTABLE_PROPERTY_EXPLICIT);
}
END_TEST

START_TEST(stdin_file_is_a_property) {
    uint64_t id = start_command("stdin-file", "s", "/srv/in", 0);

    assert_value(get_of_task(id, "StdinFile"), "s", 0, "/srv/in");
}
END_TEST

/* A new option is put into the tables above too. */
START_TEST(all_options_are_in_the_table) {
    size_t n = 0;

    for (const TaskOption *o = task_options(); o->name; o++)
        n++;
    ck_assert_uint_eq(n, ELEMENTSOF(options) + ELEMENTSOF(lists) + 5); /* argv, env, after-index,
                                                                        * stdin, stdin-file */
}
END_TEST

static const struct {
    const char *option, *type;
    uint64_t number;
    const char *text, *part;
} refused[] = {
    {"nice", "u", 5, NULL, "option nice is of type i, not u"},
    {"cpu-weight", "i", 5, NULL, "option cpu-weight is of type u, not i"},
    {"timeout", "u", 5, NULL, "option timeout is of type t, not u"},
    {"nice", "i", 20, NULL, "nice is from -20 to 19"},
    {"cpu-weight", "u", 10001, NULL, "1 to 10000"},
    {"memory-max", "t", 1000, NULL, "1M"},
    {"pids-max", "t", UINT64_MAX, NULL, "pids-max is at most"},
    {"timeout", "t", UINT64_MAX, NULL, "microseconds"},
    {"on-interrupt", "s", 0, "again", "\"fail\" or \"restart\""},
    {"stdin", "s", 0, "text", "option stdin is of type ay, not s"},
    {"stdin-file", "s", 0, "/srv/in", "stdin-file is for commands"},
    {"pty-size", "s", 0, "80", "pty-size is COLUMNSxROWS, each from 1 to 65535"},
};

START_TEST(options_that_are_refused) {
    const char *type = refused[_i].type;

    if (type[0] == 's')
        bus_rig_assert_error(MANAGER("Start", "sa{sv}", "noop", 2, "isolate", "b", 1,
                                     refused[_i].option, type, refused[_i].text),
                             "InvalidOption", refused[_i].part);
    else if (type[0] == 't')
        bus_rig_assert_error(MANAGER("Start", "sa{sv}", "noop", 2, "isolate", "b", 1,
                                     refused[_i].option, type, refused[_i].number),
                             "InvalidOption", refused[_i].part);
    else
        bus_rig_assert_error(MANAGER("Start", "sa{sv}", "noop", 2, "isolate", "b", 1,
                                     refused[_i].option, type, (uint32_t)refused[_i].number),
                             "InvalidOption", refused[_i].part);
    ck_assert_ptr_null(task_table_begin(&fake.memory, false));
}
END_TEST

START_TEST(unknown_options_are_told_what_there_is) {
    const TaskOption *last = task_options();

    while (last[1].name)
        last++;
    bus_rig_assert_error(MANAGER("Start", "sa{sv}", "noop", 1, "no-such", "b", 1), "UnknownOption",
                         last->name);
}
END_TEST

/* ---- what else there is of a task ---- */

START_TEST(the_environment_of_a_task_on_disk) {
    Task *t = fake_daemon_add_ended(&fake, TASK_SUCCEEDED);
    char *const env[] = {(char *)"A=1", (char *)"B=2", NULL};
    const char *first, *second;

    t->spec->env = env_table_intern(fake.envs, env);
    sd_bus_message *m = get_of_task(t->id, "Env");
    ck_assert_int_ge(sd_bus_message_read(m, "v", "as", 2, &first, &second), 0);
    ck_assert_str_eq(first, "A=1");
    ck_assert_str_eq(second, "B=2");
    sd_bus_message_unref(m);
    bus_rig_assert_error(MANAGER("ListTasks", "a{sv}", 1, "fields", "as", 1, "env"),
                         "InvalidOption", "env");
}
END_TEST

/* Gives the number of entries. */
static size_t read_usage(sd_bus_message *m, uint64_t *ret_cpu, uint64_t *ret_memory) {
    const char *key;
    uint64_t amount;
    size_t n = 0;

    ck_assert_int_ge(sd_bus_message_enter_container(m, 'v', "a{sv}"), 0);
    ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "{sv}"), 0);
    for (; sd_bus_message_read(m, "{sv}", &key, "t", &amount) > 0; n++)
        *(strcmp(key, "cpu-usec") == 0 ? ret_cpu : ret_memory) = amount;
    sd_bus_message_unref(m);
    return n;
}

START_TEST(usage_of_active_and_ended_tasks) {
    Task *running = fake_daemon_add_running(&fake);
    Task *ended = fake_daemon_add_ended(&fake, TASK_FAILED);
    uint64_t cpu = 0, memory = 0;

    ck_assert_uint_eq(read_usage(get_of_task(running->id, "Usage"), &cpu, &memory), 0);
    fake.used = (TaskUsage){.cpu_usec = 5, .memory_peak = 4096};
    ck_assert_uint_eq(read_usage(get_of_task(running->id, "Usage"), &cpu, &memory), 2);
    ck_assert_uint_eq(cpu, 5);
    ck_assert_uint_eq(memory, 4096);
    task_work_make(ended)->usage.cpu_usec = 77;
    ck_assert_uint_eq(read_usage(get_of_task(ended->id, "Usage"), &cpu, &memory), 1);
    ck_assert_uint_eq(cpu, 77);
}
END_TEST

START_TEST(usage_and_attempt_are_listed) {
    uint64_t cpu = 0, memory = 0;
    uint32_t attempt;

    Task *t = fake_daemon_add_ended(&fake, TASK_SUCCEEDED);
    task_work_make(t)->usage.memory_peak = 9;
    t->attempt = 3;
    sd_bus_message *m =
        bus_rig_call_good(&rig, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, "ListTasks", "a{sv}",
                          1, "fields", "as", 2, "attempt", "usage");
    ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "a{sv}"), 0);
    ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "{sv}"), 0);
    ck_assert_int_ge(sd_bus_message_read(m, "{sv}", NULL, "u", &attempt), 0);
    ck_assert_uint_eq(attempt, 3);
    ck_assert_int_ge(sd_bus_message_enter_container(m, 'e', "sv"), 0);
    ck_assert_int_ge(sd_bus_message_skip(m, "s"), 0);
    ck_assert_uint_eq(read_usage(m, &cpu, &memory), 1);
    ck_assert_uint_eq(memory, 9);
}
END_TEST

/* ---- pause ---- */

static void good(sd_bus_message *answer) {
    ck_assert(!sd_bus_message_is_method_error(answer, NULL));
    sd_bus_message_unref(answer);
}

START_TEST(pause_and_resume) {
    Task *t = fake_daemon_add_running(&fake);
    char path[64];

    bus_rig_task_path(path, t->id);
    good(bus_rig_call(&rig, path, LONGRUN_TASK_INTERFACE, "Pause", ""));
    assert_value(get_of_task(t->id, "State"), "s", 0, "paused");
    good(bus_rig_call(&rig, path, LONGRUN_TASK_INTERFACE, "Resume", ""));
    assert_value(get_of_task(t->id, "State"), "s", 0, "running");
}
END_TEST

START_TEST(what_cannot_be_paused) {
    uint64_t ended = fake_daemon_add_ended(&fake, TASK_SUCCEEDED)->id;
    uint64_t queued = bus_rig_start(&rig, "noop", "{}");
    const char *const methods[] = {"Pause", "Resume"};
    char path[64];

    for (size_t i = 0; i < ELEMENTSOF(methods); i++) {
        bus_rig_task_path(path, ended);
        bus_rig_assert_error(bus_rig_call(&rig, path, LONGRUN_TASK_INTERFACE, methods[i], ""),
                             "NotRunning", "has ended already: succeeded");
        bus_rig_task_path(path, queued);
        bus_rig_assert_error(bus_rig_call(&rig, path, LONGRUN_TASK_INTERFACE, methods[i], ""),
                             "NotRunning", "no processes");
    }
}
END_TEST

/* ---- properties of the Manager ---- */

static sd_bus_message *changed;

static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    changed = sd_bus_message_ref(m);
    return 0;
}

static bool has_changed(void *userdata) {
    return changed;
}

static void await_change(const char *property, const char *type, uint64_t number,
                         const char *text) {
    const char *name;

    bus_emit_manager_property(rig.server, property);
    bus_rig_run_until(&rig, has_changed, NULL);
    ck_assert_int_ge(sd_bus_message_skip(changed, "s"), 0);
    ck_assert_int_ge(sd_bus_message_enter_container(changed, 'a', "{sv}"), 0);
    ck_assert_int_ge(sd_bus_message_enter_container(changed, 'e', "sv"), 0);
    ck_assert_int_ge(sd_bus_message_read_basic(changed, 's', &name), 0);
    ck_assert_str_eq(name, property);
    assert_value(changed, type, number, text);
    changed = NULL;
}

START_TEST(what_the_daemon_says_of_itself) {
    const char *root = LONGRUN_ROOT_PATH, *manager = LONGRUN_MANAGER_INTERFACE;

    ck_assert_int_ge(
        sd_bus_add_match(rig.client, NULL, "member='PropertiesChanged'", on_changed, NULL), 0);
    assert_value(get(root, manager, "Isolation"), "s", 0, "");
    assert_value(get(root, manager, "LowDisk"), "b", 0, NULL);
    assert_value(get(root, manager, "EndsAtLogout"), "b", 1, NULL);
    fake.isolation_now = "cgroup";
    fake.is_low_disk = true;
    await_change("Isolation", "s", 0, "cgroup");
    await_change("LowDisk", "b", 1, NULL);
}
END_TEST

int main(void) {
    Suite *s = suite_create("bus-options");
    TCase *t = tcase_create("options");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, an_option_is_a_property_and_listed, 0, (int)ELEMENTSOF(options));
    tcase_add_loop_test(t, options_that_are_refused, 0, (int)ELEMENTSOF(refused));
    tcase_add_loop_test(t, a_list_is_a_property, 0, (int)ELEMENTSOF(lists));
    tcase_add_test(t, lists_that_are_refused);
    tcase_add_test(t, places_in_a_call);
    tcase_add_test(t, stdin_is_kept_apart);
    tcase_add_test(t, stdin_file_is_a_property);
    tcase_add_test(t, unknown_options_are_told_what_there_is);
    tcase_add_test(t, the_environment_of_a_task_on_disk);
    tcase_add_test(t, usage_of_active_and_ended_tasks);
    tcase_add_test(t, usage_and_attempt_are_listed);
    tcase_add_test(t, pause_and_resume);
    tcase_add_test(t, what_cannot_be_paused);
    tcase_add_test(t, what_the_daemon_says_of_itself);
    suite_add_tcase(s, t);
    t = tcase_create("table");
    tcase_add_test(t, all_options_are_in_the_table);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
