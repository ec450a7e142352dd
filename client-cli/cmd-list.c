#include <inttypes.h>
#include <stdio.h>

#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"
#include "client-cli/table.h"
#include "client-cli/task-list.h"
#include "client-cli/task-text.h"
#include "common/clock.h"

/* longrun list, longrun kinds */

#define REASON_COLUMNS 32

const Option list_options[] = {
    FILTER_OPTIONS,
    LAST_OPTIONS,
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

const Option kinds_options[] = {
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

typedef struct List {
    const Invocation *inv; /* not owned */
    cJSON *tasks;
    bool more; /* ended ones were left out */
} List;

/* Columns that are only there when they have something to tell. */
typedef struct Extra {
    bool left, rate, group, priority, reason;
} Extra;

static Extra find_extra(const List *l, uint64_t now) {
    Extra e = {};
    const cJSON *task;

    cJSON_ArrayForEach (task, l->tasks) {
        _cleanup_free_ char *reason = task_reason(task, now);
        const char *group = json_string(task, "group");
        char buf[FORMAT_MAX];
        e.left = e.left || *task_left(buf, task, now);
        e.rate = e.rate || *task_rate(buf, task);
        e.group = e.group || (*group && !streq(group, "default"));
        e.priority = e.priority || json_i32(task, "priority") != 0;
        e.reason = e.reason || *reason;
    }
    return e;
}

static void add_reason(Table *table, const cJSON *task, uint64_t now) {
    _cleanup_free_ char *reason = task_reason(task, now);
    /* The label is behind it, and is to be seen, too. */
    _cleanup_free_ char *cut = output_is_terminal() ? text_cut(reason, REASON_COLUMNS) : NULL;

    table_add(table, cut ?: reason, NULL);
}

static void add_row(Table *table, const Extra *e, const cJSON *task, uint64_t now) {
    const char *state = json_string(task, "state");
    char buf[FORMAT_MAX];

    snprintf(buf, sizeof(buf), "%" PRIu64, json_u64(task, "id"));
    table_add(table, buf, NULL);
    table_add(table, state, state_colour(state));
    table_add(table, task_percent(buf, task), NULL);
    table_add(table, task_run_time(buf, task, now), NULL);
    if (e->left)
        table_add(table, task_left(buf, task, now), NULL);
    if (e->rate)
        table_add(table, task_rate(buf, task), NULL);
    if (e->group)
        table_add(table, json_string(task, "group"), NULL);
    if (e->priority) {
        snprintf(buf, sizeof(buf), "%" PRIi32, json_i32(task, "priority"));
        table_add(table, buf, NULL);
    }
    if (e->reason)
        add_reason(table, task, now);
    table_add(table, json_string(task, "label"), NULL);
}

static void print_table(const List *l) {
    uint64_t now = clock_usec(CLOCK_REALTIME);
    Extra e = find_extra(l, now);
    Column columns[10] = {{"ID", true}, {"STATE", false}, {"PROGRESS", true}, {"TIME", true}};
    Table table = {.columns = columns, .n_columns = 4};
    const cJSON *task;

    if (e.left)
        columns[table.n_columns++] = (Column){"LEFT", true};
    if (e.rate)
        columns[table.n_columns++] = (Column){"RATE", true};
    if (e.group)
        columns[table.n_columns++] = (Column){"GROUP", false};
    if (e.priority)
        columns[table.n_columns++] = (Column){"PRIORITY", true};
    if (e.reason)
        columns[table.n_columns++] = (Column){"WAITING", false};
    columns[table.n_columns++] = (Column){"LABEL", false};
    cJSON_ArrayForEach (task, l->tasks)
        add_row(&table, &e, task, now);
    table_print(&table);
    table_done(&table);
}

static int print_list(const List *l) {
    if (invocation_has(l->inv, OPT_JSON))
        return json_print(l->tasks);
    if (l->tasks->child)
        print_table(l);
    else if (!l->more)
        puts("No tasks.");
    if (l->more && output_is_terminal())
        puts("More tasks have ended; --all shows them.");
    return EXIT_SUCCESS;
}

int cmd_list(const Invocation *inv) {
    static const char *const shown[] = {"id",         "state",       "progress",
                                        "done",       "unit",        "rate",
                                        "label",      "group",       "expected-end-time",
                                        "priority",   "reason",      "due-at",
                                        "started-at", "finished-at", NULL};
    _cleanup_bus_ sd_bus *bus = NULL;
    Filter filter;
    TaskQuery query = {.filter = &filter, .fields = invocation_has(inv, OPT_JSON) ? NULL : shown};
    List l = {.inv = inv};
    int r;

    r = filter_parse(inv, STATES_ANY, &filter);
    if (r == 0)
        r = task_list_parse_last(inv, &query.last);
    if (r == 0)
        r = client_connect(&bus);
    query.bus = bus;
    if (r == 0)
        r = task_list_fetch_all(&query, &l.tasks, &l.more);
    if (r == 0)
        r = print_list(&l);
    cJSON_Delete(l.tasks);
    return r;
}

static int print_kinds(sd_bus_message *reply, bool as_json) {
    static const Column columns[] = {{"KIND", false}, {"WHAT IT DOES", false}};
    _cleanup_json_ cJSON *list = must(cJSON_CreateArray());
    Table table = TABLE_INIT(columns);
    const char *name, *description;
    int r;

    r = sd_bus_message_enter_container(reply, 'a', "(ss)");
    while (r >= 0 && (r = sd_bus_message_read(reply, "(ss)", &name, &description)) > 0) {
        cJSON *kind = must(cJSON_CreateObject());
        cJSON_AddStringToObject(kind, "name", name);
        cJSON_AddStringToObject(kind, "description", description);
        cJSON_AddItemToArray(list, kind);
        table_add(&table, name, COLOUR_BOLD);
        table_add(&table, description, NULL);
    }
    if (r < 0)
        client_report(NULL, r);
    else if (as_json)
        json_print(list);
    else
        table_print(&table);
    table_done(&table);
    return r;
}

int cmd_kinds(const Invocation *inv) {
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_message_ sd_bus_message *reply = NULL;
    int r;

    r = client_connect(&bus);
    if (r < 0)
        return r;
    r = client_call_manager(bus, &reply, "ListKinds", NULL);
    if (r < 0)
        return r;
    return print_kinds(reply, invocation_has(inv, OPT_JSON));
}
