#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"
#include "client-cli/table.h"
#include "client-cli/task-list.h"
#include "common/clock.h"
#include "common/parse.h"

/* longrun list, longrun kinds */

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

static const char *run_time(char buf[FORMAT_MAX], const cJSON *task, uint64_t now) {
    uint64_t started = json_u64(task, "started-at"), finished = json_u64(task, "finished-at");
    uint64_t end = finished > 0 ? finished : now;

    return started > 0 && end >= started ? format_span(buf, end - started) : "-";
}

static void print_table(const List *l) {
    static const Column columns[] = {
        {"ID", true}, {"STATE", false}, {"PROGRESS", true}, {"TIME", true}, {"LABEL", false}};
    Table table = TABLE_INIT(columns);
    uint64_t now = clock_usec(CLOCK_REALTIME);
    const cJSON *task;
    char buf[FORMAT_MAX];

    cJSON_ArrayForEach (task, l->tasks) {
        const char *state = json_string(task, "state");
        double progress = json_double(task, "progress");

        snprintf(buf, sizeof(buf), "%" PRIu64, json_u64(task, "id"));
        table_add(&table, buf, NULL);
        table_add(&table, state, state_colour(state));
        snprintf(buf, sizeof(buf), progress < 0 ? "-" : "%d%%", (int)(progress * 100));
        table_add(&table, buf, NULL);
        table_add(&table, run_time(buf, task, now), NULL);
        table_add(&table, json_string(task, "label"), NULL);
    }
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
    static const char *const shown[] = {"id",         "state",       "progress", "label",
                                        "group",      "priority",    "reason",   "due-at",
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
