#include "client-cli/task-options.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "client-cli/client.h"
#include "client-cli/output.h"
#include "common/parse.h"
#include "common/text.h"

#define UMASK_MAX 0777
#define CPU_WEIGHT_MAX 10000
#define NICE_LOWEST 20 /* below zero */
#define NICE_HIGHEST 19

/* What belongs to the process that calls, or to the service that it is part of, and would mislead
 * another one. */
static const char *const own_variables[] = {"NOTIFY_SOCKET", "JOURNAL_STREAM", "INVOCATION_ID"};
static const char *const own_prefixes[] = {"WATCHDOG_", "LISTEN_", "LONGRUN_"};

static int append_string(sd_bus_message *call, const char *key, const char *value) {
    int r = text_check(key, value);

    if (r != 0)
        return r;
    r = sd_bus_message_append(call, "{sv}", key, "s", value);
    return r < 0 ? client_report(NULL, r) : 0;
}

static int append_u64(sd_bus_message *call, const char *key, uint64_t value) {
    int r = sd_bus_message_append(call, "{sv}", key, "t", value);
    return r < 0 ? client_report(NULL, r) : 0;
}

static int append_u32(sd_bus_message *call, const char *key, uint64_t value) {
    int r = sd_bus_message_append(call, "{sv}", key, "u", (uint32_t)value);
    return r < 0 ? client_report(NULL, r) : 0;
}

static int append_i32(sd_bus_message *call, const char *key, uint64_t value) {
    int r = sd_bus_message_append(call, "{sv}", key, "i", (int32_t)value);
    return r < 0 ? client_report(NULL, r) : 0;
}

static int append_bool(sd_bus_message *call, const char *key, bool value) {
    int r = sd_bus_message_append(call, "{sv}", key, "b", value);
    return r < 0 ? client_report(NULL, r) : 0;
}

/* A time after which something is done. The daemon has 0 for never. */
static int parse_limit(const char *s, uint64_t *ret_usec) {
    uint64_t usec;
    int r = parse_span(s, &usec);

    if (r < 0)
        return r;
    *ret_usec = usec == USEC_INFINITY ? 0 : usec;
    return 0;
}

static int parse_weight(const char *s, uint64_t *ret) {
    uint64_t weight;
    int r = parse_u64(s, &weight);

    if (r < 0)
        return r;
    if (weight < 1 || weight > CPU_WEIGHT_MAX)
        return -ERANGE;
    *ret = weight;
    return 0;
}

/* What is below zero comes as two's complement. */
static int parse_nice(const char *s, uint64_t *ret) {
    bool negative = *s == '-';
    uint64_t value;
    int r = parse_u64(s + (negative || *s == '+'), &value);

    if (r < 0)
        return r;
    if (value > (negative ? NICE_LOWEST : NICE_HIGHEST))
        return -ERANGE;
    *ret = negative ? -value : value;
    return 0;
}

/* An option that is passed on to the daemon under its name. */
typedef struct PassedOption {
    OptionId id;
    const char *key;
    int (*parse)(const char *s, uint64_t *ret); /* NULL: text */
    int (*append)(sd_bus_message *call, const char *key, uint64_t value);
    const char *wanted;
} PassedOption;

#define TIME_WANTED "a time, as in 30s, 5min, 1h30min"

/* clang-format off */
static const PassedOption passed_options[] = {
    {OPT_LABEL, "label"},
    {OPT_UNIQUE, "unique"},
    {OPT_TIMEOUT, "timeout", parse_limit, append_u64, TIME_WANTED},
    {OPT_IDLE_TIMEOUT, "idle-timeout", parse_limit, append_u64, TIME_WANTED},
    {OPT_QUEUE_TIMEOUT, "queue-timeout", parse_limit, append_u64, TIME_WANTED},
    {OPT_STOP_TIMEOUT, "stop-timeout", parse_span, append_u64, "a time, as in 30s, 5min, 0"},
    {OPT_MEMORY_MAX, "memory-max", parse_size, append_u64, "a size, as in 512M, 8G"},
    {OPT_PIDS_MAX, "pids-max", parse_u64, append_u64, "a number of processes"},
    {OPT_CPU_WEIGHT, "cpu-weight", parse_weight, append_u32, "a number from 1 to 10000 (100 is that of other tasks)"},
    {OPT_NICE, "nice", parse_nice, append_i32, "a number from -20 to 19"},
    {OPT_LOG_MAX, "log-max", parse_size, append_u64, "a size, as in 500M, 8G"},
    {OPT_RESULT_MAX, "result-max", parse_size, append_u64, "a size, as in 64K, 1M"},
    {OPT_ON_INTERRUPT, "on-interrupt"},
};
/* clang-format on */

static int append_passed(const Invocation *inv, const PassedOption *o, sd_bus_message *call) {
    const char *given = invocation_value(inv, o->id);
    uint64_t number;

    if (!given)
        return 0;
    if (!o->parse)
        return append_string(call, o->key, given);
    if (o->parse(given, &number) < 0)
        return usage_error(inv->command, "--%s wants %s; not \"%s\"", o->key, o->wanted, given);
    return o->append(call, o->key, number);
}

static int check_on_interrupt(const Invocation *inv) {
    const char *given = invocation_value(inv, OPT_ON_INTERRUPT);

    if (!given || streq(given, "fail") || streq(given, "restart"))
        return 0;
    return usage_error(inv->command, "--on-interrupt wants fail or restart; not \"%s\"", given);
}

int task_options_append(const Invocation *inv, sd_bus_message *call) {
    int r = check_on_interrupt(inv);

    for (size_t i = 0; i < ELEMENTSOF(passed_options) && r == 0; i++)
        r = append_passed(inv, &passed_options[i], call);
    if (r != 0)
        return r;
    return invocation_has(inv, OPT_ISOLATE) ? append_bool(call, "isolate", true) : 0;
}

/* The way in which the caller came here, symlinks and all: as a shell says it. */
static int append_cwd(const Invocation *inv, sd_bus_message *call) {
    const char *given = invocation_value(inv, OPT_CWD);
    _cleanup_free_ char *here = NULL, *joined = NULL;

    if (given && given[0] == '/')
        return append_string(call, "cwd", given);
    here = get_current_dir_name();
    if (!here || here[0] != '/')
        return print_error("cannot tell the working directory: %s. Name one: --cwd DIR",
                           strerror(here ? ENOENT : errno));
    if (!given)
        return append_string(call, "cwd", here);
    if (asprintf(&joined, "%s/%s", streq(here, "/") ? "" : here, given) < 0)
        joined = NULL;
    return append_string(call, "cwd", must(joined));
}

static int append_umask(const Invocation *inv, sd_bus_message *call) {
    const char *given = invocation_value(inv, OPT_UMASK);
    unsigned long mask;
    int r;

    if (given) {
        char *end;
        mask = strtoul(given, &end, 8);
        if (strspn(given, "01234567") == 0 || *end || mask > UMASK_MAX)
            return usage_error(inv->command, "--umask wants an octal number up to 777, not \"%s\"",
                               given);
    } else {
        mask = umask(0);
        umask((mode_t)mask);
    }
    r = sd_bus_message_append(call, "{sv}", "umask", "u", (uint32_t)mask);
    return r < 0 ? client_report(NULL, r) : 0;
}

static bool is_own(const char *variable) {
    size_t n = strcspn(variable, "=");

    for (size_t i = 0; i < ELEMENTSOF(own_variables); i++)
        if (strlen(own_variables[i]) == n && strncmp(variable, own_variables[i], n) == 0)
            return true;
    for (size_t i = 0; i < ELEMENTSOF(own_prefixes); i++)
        if (strncmp(variable, own_prefixes[i], strlen(own_prefixes[i])) == 0)
            return true;
    return false;
}

/* Whether one of the options --env from number first on sets the same variable. */
static bool is_overridden(const Invocation *inv, size_t first, const char *variable) {
    size_t n = strcspn(variable, "=") + 1;

    for (size_t i = first; i < inv->n_options; i++)
        if (inv->options[i].id == OPT_ENV && strncmp(inv->options[i].value, variable, n) == 0)
            return true;
    return false;
}

static int append_inherited(const Invocation *inv, sd_bus_message *call) {
    for (char **e = environ; *e; e++) {
        size_t n = strcspn(*e, "=");
        if (n == 0 || (*e)[n] == '\0' || is_own(*e) || is_overridden(inv, 0, *e))
            continue;
        if (!utf8_is_valid(*e)) {
            if (!invocation_has(inv, OPT_QUIET))
                print_error("leaving out the variable %.*s: it is not UTF-8, and D-Bus carries no "
                            "other text",
                            (int)n, *e);
            continue;
        }
        int r = sd_bus_message_append_basic(call, 's', *e);
        if (r < 0)
            return client_report(NULL, r);
    }
    return 0;
}

static int append_given(const Invocation *inv, sd_bus_message *call) {
    for (size_t i = 0; i < inv->n_options; i++) {
        const char *variable = inv->options[i].value;
        if (inv->options[i].id != OPT_ENV)
            continue;
        if (!strchr(variable, '=') || variable[0] == '=')
            return usage_error(inv->command, "--env wants NAME=VALUE, not \"%s\"", variable);
        if (is_overridden(inv, i + 1, variable))
            continue;
        int r = text_check("--env", variable);
        if (r != 0)
            return r;
        r = sd_bus_message_append_basic(call, 's', variable);
        if (r < 0)
            return client_report(NULL, r);
    }
    return 0;
}

static int append_env(const Invocation *inv, sd_bus_message *call) {
    bool clean = invocation_has(inv, OPT_CLEAN_ENV);
    int r;

    r = sd_bus_message_open_container(call, 'e', "sv");
    if (r >= 0)
        r = sd_bus_message_append_basic(call, 's', "env");
    if (r >= 0)
        r = sd_bus_message_open_container(call, 'v', "as");
    if (r >= 0)
        r = sd_bus_message_open_container(call, 'a', "s");
    if (r < 0)
        return client_report(NULL, r);
    r = clean ? 0 : append_inherited(inv, call);
    if (r == 0)
        r = append_given(inv, call);
    if (r != 0)
        return r;
    for (int i = 0; i < 3 && r >= 0; i++)
        r = sd_bus_message_close_container(call);
    if (r < 0)
        return client_report(NULL, r);
    return clean ? 0 : append_bool(call, "clear-env", true);
}

int task_options_append_surroundings(const Invocation *inv, sd_bus_message *call) {
    int r;

    r = append_cwd(inv, call);
    if (r == 0)
        r = append_env(inv, call);
    return r != 0 ? r : append_umask(inv, call);
}
