#include "client-cli/task-options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client-cli/append.h"
#include "client-cli/client.h"
#include "client-cli/output.h"
#include "common/parse.h"
#include "common/terminal-size.h"

#define CPU_WEIGHT_MAX 10000
#define NICE_LOWEST -20
#define NICE_HIGHEST 19
#define PRIORITY_LIMIT 1000000
#define EXIT_CODE_MAX 255

/* ---- values ---- */

/* A time after which something is done. The daemon has 0 for never. */
static int parse_limit(const char *s, uint64_t *ret_usec) {
    uint64_t usec;
    int r = parse_span(s, &usec);

    if (r < 0)
        return r;
    *ret_usec = usec == USEC_INFINITY ? 0 : usec;
    return 0;
}

/* A time that passes. */
static int parse_period(const char *s, uint64_t *ret_usec) {
    uint64_t usec;
    int r = parse_span(s, &usec);

    if (r < 0)
        return r;
    if (usec == 0 || usec == USEC_INFINITY)
        return -ERANGE;
    *ret_usec = usec;
    return 0;
}

/* What is below zero comes as two's complement. */
static int parse_within(const char *s, int64_t low, int64_t high, uint64_t *ret) {
    bool negative = *s == '-';
    uint64_t value;
    int r = parse_u64(s + (negative || *s == '+'), &value);

    if (r < 0)
        return r;
    if (value > INT32_MAX)
        return -ERANGE;
    int64_t number = negative ? -(int64_t)value : (int64_t)value;
    if (number < low || number > high)
        return -ERANGE;
    *ret = (uint64_t)number;
    return 0;
}

static int parse_weight(const char *s, uint64_t *ret) {
    return parse_within(s, 1, CPU_WEIGHT_MAX, ret);
}

static int parse_nice(const char *s, uint64_t *ret) {
    return parse_within(s, NICE_LOWEST, NICE_HIGHEST, ret);
}

static int parse_priority(const char *s, uint64_t *ret) {
    return parse_within(s, -PRIORITY_LIMIT, PRIORITY_LIMIT, ret);
}

static int parse_count(const char *s, uint64_t *ret) {
    uint32_t value;
    int r = parse_u32(s, &value);

    if (r < 0)
        return r;
    *ret = value;
    return 0;
}

static int parse_task(const char *s, uint64_t *ret) {
    uint64_t id;
    int r = parse_u64(s, &id);

    if (r < 0)
        return r;
    if (id == 0)
        return -ERANGE;
    *ret = id;
    return 0;
}

static int parse_code(const char *s, uint64_t *ret) {
    return parse_within(s, 0, EXIT_CODE_MAX, ret);
}

static int parse_yes(const char *s, uint64_t *ret) {
    bool yes;
    int r = parse_bool(s, &yes);

    if (r < 0)
        return r;
    *ret = yes;
    return 0;
}

/* As parse_*(): NAME or NAME=N. The name is the part before the '='. */
static int parse_tokens(const char *s, uint64_t *ret) {
    const char *equals = strchr(s, '=');
    uint64_t amount = 1;

    if (s[0] == '\0' || equals == s)
        return -EINVAL;
    if (equals && (parse_count(equals + 1, &amount) < 0 || amount == 0))
        return -EINVAL;
    *ret = amount;
    return 0;
}

/* ---- the options ---- */

typedef struct PassedOption PassedOption;

/* An option that is passed on to the daemon. */
struct PassedOption {
    OptionId id;
    const char *key; /* its name there */
    char type;       /* of D-Bus; 'a': a list of what the other three say */
    int (*parse)(const char *s, uint64_t *ret); /* of numbers, and of 'b' with a value */
    const char *wanted;
    char item; /* 't', 'i'; 'e': entries of name and amount */
};

#define PRIORITY_WANTED "a number from -1000000 to 1000000"
#define TIME_WANTED "a time, as in 30s, 5min, 1h30min"
#define IDS_WANTED "ids of tasks, as in 12 or 12,13"

/* clang-format off */
static const PassedOption passed_options[] = {
    {OPT_LABEL, "label", 's'},
    {OPT_GROUP, "group", 's'},
    {OPT_UNIQUE, "unique", 's'},
    {OPT_PARENT, "parent", 't', parse_task, "the id of a task"},
    {OPT_STDIN_OPEN, "stdin-open", 'b'},
    {OPT_PTY, "pty", 'b'},
    {OPT_PTY_SIZE, "pty-size", 's'},
    {OPT_ISOLATE, "isolate", 'b'},
    {OPT_AFTER, "after", 'a', parse_task, IDS_WANTED, 't'},
    {OPT_AFTER_ANY, "after-any", 'a', parse_task, IDS_WANTED, 't'},
    {OPT_AFTER_FAILED, "after-failed", 'a', parse_task, IDS_WANTED, 't'},
    {OPT_WHEN_ONLINE, "when-online", 's'},
    {OPT_EVERY, "every", 't', parse_period, TIME_WANTED},
    {OPT_CALENDAR, "calendar", 's'},
    {OPT_PERSISTENT, "persistent", 'b'},
    {OPT_PRIORITY, "priority", 'i', parse_priority, PRIORITY_WANTED},
    {OPT_RESOURCE, "resources", 'a', parse_tokens, "NAME or NAME=N, with N at least 1", 'e'},
    {OPT_RETRIES, "retries", 'u', parse_count, "a number"},
    {OPT_RETRY_DELAY, "retry-delay", 't', parse_span, TIME_WANTED},
    {OPT_RETRY_ON, "retry-on", 'a', parse_code, "exit codes from 0 to 255, as in 1,75", 'i'},
    {OPT_TIMEOUT, "timeout", 't', parse_limit, TIME_WANTED},
    {OPT_IDLE_TIMEOUT, "idle-timeout", 't', parse_limit, TIME_WANTED},
    {OPT_QUEUE_TIMEOUT, "queue-timeout", 't', parse_limit, TIME_WANTED},
    {OPT_STOP_TIMEOUT, "stop-timeout", 't', parse_span, "a time, as in 30s, 5min, 0"},
    {OPT_MEMORY_MAX, "memory-max", 't', parse_size, "a size, as in 512M, 8G"},
    {OPT_PIDS_MAX, "pids-max", 't', parse_u64, "a number of processes"},
    {OPT_CPU_WEIGHT, "cpu-weight", 'u', parse_weight, "a number from 1 to 10000 (100 is that of other tasks)"},
    {OPT_NICE, "nice", 'i', parse_nice, "a number from -20 to 19"},
    {OPT_LOG_MAX, "log-max", 't', parse_size, "a size, as in 500M, 8G"},
    {OPT_RESULT_MAX, "result-max", 't', parse_size, "a size, as in 64K, 1M"},
    {OPT_ON_INTERRUPT, "on-interrupt", 's'},
    {OPT_NOTIFY, "notify", 'b', parse_yes, "yes or no"},
};
/* clang-format on */

static int wants(const Invocation *inv, const PassedOption *o, const char *given) {
    return usage_error(inv->command, "--%s wants %s; not \"%s\"", option_name(inv->command, o->id),
                       o->wanted, given);
}

/* ---- lists ---- */

static int append_item(const PassedOption *o, const char *word, uint64_t value,
                       sd_bus_message *call) {
    int r;

    if (o->item == 't')
        r = sd_bus_message_append_basic(call, 't', &value);
    else if (o->item == 'i')
        r = sd_bus_message_append(call, "i", (int32_t)value);
    else {
        _cleanup_free_ char *name = must(strndup(word, strcspn(word, "=")));
        r = text_check(o->key, name);
        if (r != 0)
            return r;
        r = sd_bus_message_append(call, "{su}", name, (uint32_t)value);
    }
    return r < 0 ? client_report(NULL, r) : 0;
}

/* The words of all the times that the option was given, with commas between them. */
static char *join_given(const Invocation *inv, OptionId id) {
    char *text = NULL;
    size_t size;
    FILE *f = must(open_memstream(&text, &size));

    for (size_t i = 0; i < inv->n_options; i++)
        if (inv->options[i].id == id)
            fprintf(f, "%s%s", ftell(f) > 0 ? "," : "", inv->options[i].value);
    fclose(f);
    return must(text);
}

/* "gpu" is in "net,gpu=2". */
static bool has_name(const char *words, const char *end, const char *name, size_t size) {
    for (const char *p = words; p < end; p += strcspn(p, ",") + 1)
        if (strcspn(p, "=,") == size && strncmp(p, name, size) == 0)
            return true;
    return false;
}

static int append_list(const Invocation *inv, const PassedOption *o, sd_bus_message *call) {
    const char contents[] = {o->item, '\0'};
    _cleanup_free_ char *words = join_given(inv, o->id), *all = must(strdup(words));
    int r = append_open_array(call, o->key, o->item == 'e' ? "{su}" : contents);

    for (char *word, *rest = words; r == 0 && (word = strsep(&rest, ","));) {
        uint64_t value;
        if (o->parse(word, &value) < 0)
            return wants(inv, o, word);
        if (o->item == 'e' && has_name(all, all + (word - words), word, strcspn(word, "=")))
            return usage_error(inv->command, "--%s %s: it was claimed before in this call",
                               option_name(inv->command, o->id), word);
        r = append_item(o, word, value, call);
    }
    return r != 0 ? r : append_close_array(call);
}

/* ---- single values ---- */

static int append_number(const PassedOption *o, uint64_t value, sd_bus_message *call) {
    switch (o->type) {
    case 'b':
        return append_bool(call, o->key, value > 0);
    case 't':
        return append_u64(call, o->key, value);
    case 'u':
        return append_u32(call, o->key, (uint32_t)value);
    default:
        return append_i32(call, o->key, (int32_t)value);
    }
}

static int append_passed(const Invocation *inv, const PassedOption *o, sd_bus_message *call) {
    const char *given = invocation_value(inv, o->id);
    uint64_t number;

    if (!invocation_has(inv, o->id))
        return 0;
    if (o->type == 'b' && !o->parse)
        return append_bool(call, o->key, true);
    if (o->type == 's')
        return append_string(call, o->key, given);
    if (o->type == 'a')
        return append_list(inv, o, call);
    if (o->parse(given, &number) < 0)
        return wants(inv, o, given);
    return append_number(o, number, call);
}

/* What the daemon would take as if it had not been given, or not understand. */
static int check(const Invocation *inv) {
    static const OptionId never_empty[] = {OPT_GROUP, OPT_WHEN_ONLINE, OPT_CALENDAR, OPT_UNIQUE};
    const char *on_interrupt = invocation_value(inv, OPT_ON_INTERRUPT);
    const char *pty_size = invocation_value(inv, OPT_PTY_SIZE);
    TerminalSize size;

    for (size_t i = 0; i < ELEMENTSOF(never_empty); i++) {
        const char *given = invocation_value(inv, never_empty[i]);
        if (given && !*given)
            return usage_error(inv->command, "--%s wants something that is not empty",
                               option_name(inv->command, never_empty[i]));
    }
    if (on_interrupt && !streq(on_interrupt, "fail") && !streq(on_interrupt, "restart"))
        return usage_error(inv->command, "--on-interrupt wants fail or restart; not \"%s\"",
                           on_interrupt);
    if (pty_size && terminal_size_parse(pty_size, &size) < 0)
        return usage_error(inv->command,
                           "--pty-size wants COLUMNSxROWS, each from 1 to 65535, as in 80x24; "
                           "not \"%s\"",
                           pty_size);
    return 0;
}

int task_options_append(const Invocation *inv, sd_bus_message *call) {
    int r = check(inv);

    for (size_t i = 0; i < ELEMENTSOF(passed_options) && r == 0; i++)
        r = append_passed(inv, &passed_options[i], call);
    return r;
}

static const PassedOption *find_key(const char *key) {
    for (size_t i = 0; i < ELEMENTSOF(passed_options); i++)
        if (streq(passed_options[i].key, key))
            return &passed_options[i];
    return NULL;
}

const char *task_options_key(OptionId id) {
    for (size_t i = 0; i < ELEMENTSOF(passed_options); i++)
        if (passed_options[i].id == id)
            return passed_options[i].key;
    return NULL;
}

int task_options_parse_priority(const Command *command, const char *word, int32_t *ret) {
    uint64_t value;

    if (parse_priority(word, &value) < 0)
        return usage_error(command, "a priority is " PRIORITY_WANTED "; not \"%s\"", word);
    *ret = (int32_t)value;
    return 0;
}

/* ---- how values are shown ---- */

static void put_number(FILE *f, const PassedOption *o, const cJSON *value) {
    uint64_t number = json_to_u64(value);
    char buf[FORMAT_MAX];

    if (o && o->parse == parse_size)
        fputs(format_size(buf, number), f);
    else if (o && (o->parse == parse_limit || o->parse == parse_span || o->parse == parse_period))
        fputs(format_span(buf, number), f);
    else if (cJSON_IsNumber(value))
        fprintf(f, "%.0f", value->valuedouble);
    else
        fprintf(f, "%" PRIu64, number);
}

static bool says_nothing(const PassedOption *o, const cJSON *value) {
    if (cJSON_IsNumber(value))
        return value->valuedouble == 0;
    if (cJSON_IsFalse(value)) /* what is on by itself is worth a "no" */
        return !o || !o->parse;
    if (cJSON_IsString(value))
        return value->valuestring[0] == '\0';
    return !cJSON_IsRaw(value) && !cJSON_IsTrue(value) && (!value || !value->child);
}

static void put_value(FILE *f, const PassedOption *o, const cJSON *value) {
    if (cJSON_IsString(value))
        fputs(value->valuestring, f);
    else if (cJSON_IsTrue(value))
        fputs("yes", f);
    else if (cJSON_IsFalse(value))
        fputs("no", f);
    else
        put_number(f, o, value);
}

char *task_options_format(const char *key, const cJSON *value) {
    const PassedOption *o = find_key(key);
    const cJSON *item;
    char *text = NULL;
    size_t size;
    FILE *f = must(open_memstream(&text, &size));

    if (!says_nothing(o, value) && !value->child)
        put_value(f, o, value);
    cJSON_ArrayForEach (item, value) {
        fputs(item->prev->next ? "," : "", f);
        if (item->string)
            fprintf(f, "%s=", item->string);
        put_value(f, NULL, item);
    }
    fclose(f);
    return must(text);
}
