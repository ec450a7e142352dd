#include "client-cli/task-list.h"

#include <stdlib.h>

#include "client-cli/append.h"
#include "client-cli/client.h"
#include "client-cli/output.h"
#include "common/parse.h"

#define LAST_DEFAULT 20 /* ended tasks that are shown */
#define PAGE_MAX 1000

int task_list_parse_last(const Invocation *inv, uint64_t *ret) {
    const char *word = invocation_value(inv, OPT_LAST);
    bool all = invocation_has(inv, OPT_ALL);

    if (word && all)
        return usage_error(inv->command, "--last does not go together with --all");
    *ret = all ? UINT64_MAX : LAST_DEFAULT;
    if (word && parse_u64(word, ret) < 0)
        return usage_error(inv->command, "--last wants a number, not \"%s\"", word);
    return 0;
}

static int append_query(const TaskQuery *q, bool final, uint64_t cursor, uint64_t limit,
                        sd_bus_message *call) {
    int r;

    r = append_open(call);
    if (r == 0)
        r = filter_append(q->filter, final ? STATES_FINAL : STATES_ACTIVE, call);
    if (r == 0 && q->fields)
        r = append_strings(call, "fields", q->fields);
    if (r == 0 && cursor > 0)
        r = append_u64(call, "cursor", cursor);
    if (r == 0)
        r = append_bool(call, "newest-first", final);
    if (r == 0)
        r = append_u32(call, "limit", (uint32_t)limit);
    return r != 0 ? r : append_close(call);
}

/* Adds a page's tasks to the list; gives the cursor of the next one. */
static int read_page(sd_bus_message *reply, cJSON *tasks, size_t *ret_n, uint64_t *ret_next) {
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
        cJSON_AddItemToArray(tasks, task);
        n++;
    }
    if (r >= 0)
        r = sd_bus_message_exit_container(reply);
    if (r >= 0)
        r = sd_bus_message_read(reply, "t", ret_next);
    *ret_n = n;
    return r;
}

static int fetch_page(const TaskQuery *q, bool final, uint64_t limit, cJSON *tasks, size_t *ret_n,
                      uint64_t *cursor) {
    _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
    int r;

    r = client_new_call(q->bus, "ListTasks", &call);
    if (r < 0)
        return r;
    r = append_query(q, final, *cursor, limit, call);
    if (r != 0)
        return r;
    r = client_ask(q->bus, call, 0, &reply);
    if (r < 0)
        return r;
    r = read_page(reply, tasks, ret_n, cursor);
    return r < 0 ? client_report(NULL, r) : 0;
}

int task_list_fetch(const TaskQuery *q, bool final, cJSON *tasks, bool *ret_more) {
    uint64_t left = final ? q->last : UINT64_MAX, cursor = 0;
    bool any = states_any(q->filter->states, final ? STATES_FINAL : STATES_ACTIVE);

    *ret_more = false;
    /* A page may have fewer than were asked for, none even: the cursor says whether more follow. */
    while (any && left > 0) {
        size_t n = 0;
        int r = fetch_page(q, final, MIN(left, (uint64_t)PAGE_MAX), tasks, &n, &cursor);
        if (r < 0)
            return r;
        left -= MIN(left, (uint64_t)n);
        if (cursor == 0)
            return 0;
    }
    *ret_more = final && any && cursor > 0;
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

cJSON *task_list_sort(cJSON *tasks) {
    size_t n = (size_t)cJSON_GetArraySize(tasks), i = 0;
    _cleanup_free_ Row *rows = must(calloc(n + 1, sizeof(Row)));
    cJSON *list = must(cJSON_CreateArray());

    while (tasks->child) {
        cJSON *task = cJSON_DetachItemViaPointer(tasks, tasks->child);
        rows[i] = (Row){.id = json_u64(task, "id"), .at = i, .task = task};
        i++;
    }
    qsort(rows, n, sizeof(Row), compare_rows);
    for (i = 0; i < n; i++) {
        if (i + 1 < n && rows[i].id == rows[i + 1].id)
            cJSON_Delete(rows[i].task);
        else
            cJSON_AddItemToArray(list, rows[i].task);
    }
    cJSON_Delete(tasks);
    return list;
}

int task_list_fetch_all(const TaskQuery *q, cJSON **ret, bool *ret_more) {
    _cleanup_json_ cJSON *tasks = must(cJSON_CreateArray());
    int r;

    /* In this order nothing gets lost in between: what was active and has ended is found twice. */
    r = task_list_fetch(q, false, tasks, ret_more);
    if (r >= 0)
        r = task_list_fetch(q, true, tasks, ret_more);
    if (r < 0)
        return r;
    *ret = task_list_sort(TAKE_PTR(tasks));
    return 0;
}
