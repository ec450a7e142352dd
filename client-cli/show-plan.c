#include "client-cli/show-plan.h"

#include <inttypes.h>
#include <stdio.h>

#include "client-cli/output.h"
#include "client-cli/table.h"
#include "client-cli/task-options.h"
#include "client-cli/task-text.h"
#include "client-cli/when.h"
#include "common/clock.h"

/* ---- fields ---- */

/* An option as it was given, unless it says nothing. */
static void print_option(const cJSON *task, const char *name, const char *key) {
    _cleanup_free_ char *text =
        task_options_format(key, cJSON_GetObjectItemCaseSensitive(task, key));

    print_field(name, text);
}

static void print_id(const cJSON *task, const char *name, const char *key) {
    char text[24];

    if (json_u64(task, key) == 0)
        return;
    snprintf(text, sizeof(text), "%" PRIu64, json_u64(task, key));
    print_field(name, text);
}

static void print_due(const cJSON *task) {
    uint64_t now = clock_usec(CLOCK_REALTIME), due = json_u64(task, "due-at");
    const char *name = task_due(task, now) > 0 ? "Starts at" : "Not before";
    char when[WHEN_MAX];

    if (due > now)
        print_field(task_is_series(task) ? "Next run" : name, format_when(when, due));
}

static void print_series(const cJSON *task) {
    print_option(task, "Every", "every");
    print_option(task, "Calendar", "calendar");
    if (json_is_true(task, "persistent"))
        print_field("If missed", "it runs once as soon as it can");
}

/* "3 more, after 30.0s and longer each time, on exit codes 1,75" */
static void print_retries(const cJSON *task) {
    _cleanup_free_ char *delay = NULL, *codes = NULL, *text = NULL;

    if (json_u64(task, "retries") == 0)
        return;
    delay =
        task_options_format("retry-delay", cJSON_GetObjectItemCaseSensitive(task, "retry-delay"));
    codes = task_options_format("retry-on", cJSON_GetObjectItemCaseSensitive(task, "retry-on"));
    if (asprintf(&text, "%" PRIu64 "%s%s%s%s", json_u64(task, "retries"), *delay ? ", after " : "",
                 delay, *codes ? ", on exit codes " : "", codes) < 0)
        text = NULL;
    print_field("Retries", must(text));
}

static void print_input(const cJSON *task) {
    uint64_t size = json_u64(task, "stdin-size");
    char written[FORMAT_MAX], text[128];

    print_field("Input", json_string(task, "stdin-file"));
    if (!json_is_true(task, "stdin-open"))
        return;
    snprintf(text, sizeof(text), "open: \"longrun write\" writes to it, \"longrun send\" lines");
    if (size > 0 && size < UINT64_MAX)
        snprintf(text, sizeof(text), "open, %s were written", format_size(written, size));
    print_field("Input", text);
}

void show_plan(const cJSON *task) {
    static const struct {
        const char *name, *key;
    } conditions[] = {
        {"After", "after"},        {"After any", "after-any"}, {"If failed", "after-failed"},
        {"Online", "when-online"}, {"Claims", "resources"},
    };
    const char *group = json_string(task, "group");

    print_field("Group", streq(group, "default") ? "" : group);
    print_option(task, "Priority", "priority");
    for (size_t i = 0; i < ELEMENTSOF(conditions); i++)
        print_option(task, conditions[i].name, conditions[i].key);
    print_due(task);
    print_series(task);
    print_retries(task);
    print_id(task, "Retry of", "retry-of");
    print_id(task, "Parent", "parent");
    print_option(task, "Children", "children");
    if (json_is_true(task, "pty"))
        print_field("Terminal", json_string(task, "pty-size"));
    print_input(task);
}

/* ---- attempts ---- */

/* The words of the daemon, or "exit code 3" where there are none. */
static char *describe_end(const cJSON *attempt) {
    const char *message = json_string(attempt, "message");
    char code[32] = "";

    if (json_i32(attempt, "exit-code") > 0)
        snprintf(code, sizeof(code), "exit code %" PRIi32, json_i32(attempt, "exit-code"));
    return must(strdup(*message ? message : code));
}

void show_attempts(const cJSON *task) {
    static const Column columns[] = {{"ATTEMPT", true},
                                     {"STATE", false},
                                     {"STARTED", false},
                                     {"TIME", true},
                                     {"MESSAGE", false}};
    const cJSON *attempts = cJSON_GetObjectItemCaseSensitive(task, "attempts"), *attempt;
    uint64_t now = clock_usec(CLOCK_REALTIME);
    Table table = TABLE_INIT(columns);
    char buf[FORMAT_MAX], when[TIME_MAX];

    if (!attempts || !attempts->child)
        return;
    cJSON_ArrayForEach (attempt, attempts) {
        _cleanup_free_ char *end = describe_end(attempt);
        const char *state = json_string(attempt, "state");
        snprintf(buf, sizeof(buf), "%" PRIu64, json_u64(attempt, "number"));
        table_add(&table, buf, NULL);
        table_add(&table, state, state_colour(state));
        table_add(&table, format_time(when, json_u64(attempt, "started-at")), NULL);
        table_add(&table, task_run_time(buf, attempt, now), NULL);
        table_add(&table, end, NULL);
    }
    putchar('\n');
    table_print(&table);
    table_done(&table);
}
