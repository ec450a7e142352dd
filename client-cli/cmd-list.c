#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"
#include "client-cli/states.h"
#include "client-cli/table.h"
#include "common/clock.h"
#include "common/parse.h"

/* longrun list, longrun kinds */

#define LAST_DEFAULT 20 /* ended tasks that are shown */
#define PAGE_MAX 1000

const Option list_options[] = {
    {OPT_STATE, 's', "state", "STATE", "only tasks in this state; may be given several times"},
    {OPT_LABEL, 'l', "label", "PART", "only tasks with this in the label"},
    {OPT_KIND, 'k', "kind", "KIND", "only tasks of this kind"},
    {OPT_LAST, 'n', "last", "N", "of the ended tasks show the last N (20)"},
    {OPT_ALL, 'a', "all", NULL, "show all ended tasks"},
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

const Option kinds_options[] = {
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

typedef struct List {
    sd_bus *bus;           /* not owned */
    const Invocation *inv; /* not owned */
    bool states[_TASK_STATE_MAX];
    uint64_t last; /* ended tasks wanted */
    cJSON *tasks;
    bool more; /* ended ones were left out */
} List;

static int parse_last(List *l) {
    const char *word = invocation_value(l->inv, OPT_LAST);

    l->last = invocation_has(l->inv, OPT_ALL) ? UINT64_MAX : LAST_DEFAULT;
    if (!word)
        return 0;
    if (invocation_has(l->inv, OPT_ALL))
        return usage_error(l->inv->command, "--last does not go together with --all");
    if (parse_u64(word, &l->last) < 0)
        return usage_error(l->inv->command, "--last wants a number, not \"%s\"", word);
    return 0;
}

static int append_filter(const List *l, bool final, uint64_t cursor, uint64_t limit,
                         sd_bus_message *call) {
    static const char *const shown[] = {"id",         "state",       "progress", "label",
                                        "started-at", "finished-at", NULL};
    const char *label = invocation_value(l->inv, OPT_LABEL);
    const char *kind = invocation_value(l->inv, OPT_KIND);
    int r;

    r = sd_bus_message_open_container(call, 'a', "{sv}");
    if (r >= 0)
        r = states_append(l->states, final ? STATES_FINAL : STATES_ACTIVE, call);
    if (r >= 0 && label)
        r = sd_bus_message_append(call, "{sv}", "label", "s", label);
    if (r >= 0 && kind)
        r = sd_bus_message_append(call, "{sv}", "kind", "s", kind);
    if (r >= 0 && !invocation_has(l->inv, OPT_JSON))
        r = client_append_strings(call, "fields", (char **)shown);
    if (r >= 0 && cursor > 0)
        r = sd_bus_message_append(call, "{sv}", "cursor", "t", cursor);
    if (r >= 0)
        r = sd_bus_message_append(call, "{sv}{sv}", "newest-first", "b", (int) final, "limit", "u",
                                  (uint32_t)limit);
    return r < 0 ? r : sd_bus_message_close_container(call);
}

/* Adds a page's tasks to the list; gives the cursor of the next one. */
static int read_page(List *l, sd_bus_message *reply, size_t *ret_n, uint64_t *ret_next) {
    size_t n = 0;
    int r;

    r = sd_bus_message_enter_container(reply, 'a', "a{sv}");
    if (r < 0)
        return r;
    while ((r = sd_bus_message_at_end(reply, false)) == 0) {
        cJSON *task = NULL;
        r = json_read_bus(reply, &task);
        if (r < 0)
            return r;
        json_tidy_task(task);
        cJSON_AddItemToArray(l->tasks, task);
        n++;
    }
    if (r >= 0)
        r = sd_bus_message_exit_container(reply);
    if (r >= 0)
        r = sd_bus_message_read(reply, "t", ret_next);
    *ret_n = n;
    return r;
}

/* Active tasks all, ended ones from the newest on as many as are wanted. */
static int fetch(List *l, bool final) {
    uint64_t left = final ? l->last : UINT64_MAX, cursor = 0;
    bool any = states_any(l->states, final ? STATES_FINAL : STATES_ACTIVE);
    int r;

    /* A page may have fewer than were asked for, none even: the cursor says whether more follow. */
    while (any && left > 0) {
        _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
        size_t n;

        r = client_new_call(l->bus, "ListTasks", &call);
        if (r < 0)
            return r;
        r = append_filter(l, final, cursor, MIN(left, (uint64_t)PAGE_MAX), call);
        if (r < 0)
            return client_report(NULL, r);
        r = client_ask(l->bus, call, 0, &reply);
        if (r < 0)
            return r;
        r = read_page(l, reply, &n, &cursor);
        if (r < 0)
            return client_report(NULL, r);
        left -= MIN(left, (uint64_t)n);
        if (cursor == 0)
            return 0;
    }
    l->more = final && any && cursor > 0;
    return 0;
}

typedef struct Row {
    uint64_t id;
    size_t at; /* in the order fetched */
    cJSON *task;
} Row;

static int compare_rows(const void *a, const void *b) {
    const Row *x = a, *y = b;

    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* Sorts by id. A task that ended between the two questions is in both answers: the later one
 * holds. */
static void sort_tasks(List *l) {
    size_t n = (size_t)cJSON_GetArraySize(l->tasks), i = 0;
    _cleanup_free_ Row *rows = must(calloc(n + 1, sizeof(Row)));
    cJSON *sorted = must(cJSON_CreateArray());

    while (l->tasks->child) {
        cJSON *task = cJSON_DetachItemViaPointer(l->tasks, l->tasks->child);
        rows[i] = (Row){.id = json_u64(task, "id"), .at = i, .task = task};
        i++;
    }
    qsort(rows, n, sizeof(Row), compare_rows);
    for (i = 0; i < n; i++) {
        if (i + 1 < n && rows[i].id == rows[i + 1].id)
            cJSON_Delete(rows[i].task);
        else
            cJSON_AddItemToArray(sorted, rows[i].task);
    }
    cJSON_Delete(l->tasks);
    l->tasks = sorted;
}

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
    _cleanup_bus_ sd_bus *bus = NULL;
    List l = {.inv = inv};
    int r;

    r = states_parse(inv, STATES_ANY, l.states);
    if (r == 0)
        r = parse_last(&l);
    if (r == 0)
        r = text_check("label", strempty(invocation_value(inv, OPT_LABEL)));
    if (r == 0)
        r = text_check("kind", strempty(invocation_value(inv, OPT_KIND)));
    if (r != 0)
        return r;
    r = client_connect(&bus);
    if (r < 0)
        return r;
    l.bus = bus;
    l.tasks = must(cJSON_CreateArray());
    /* In this order nothing gets lost in between: what was active and has ended is found twice. */
    r = fetch(&l, false);
    if (r >= 0)
        r = fetch(&l, true);
    if (r >= 0) {
        sort_tasks(&l);
        r = print_list(&l);
    }
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
