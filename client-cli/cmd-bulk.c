#include <inttypes.h>
#include <stdio.h>

#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/filter.h"
#include "client-cli/output.h"
#include "client-cli/task-options.h"

/* longrun cancel, retry, priority: of tasks that are named, or of all that match a filter. */

const Option cancel_options[] = {
    FILTER_OPTIONS,
    {OPT_ALL, 'a', "all", NULL, "all tasks that have not ended"},
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

const Option retry_options[] = {
    FILTER_OPTIONS,
    {OPT_OLDER, 'o', "older", "TIME", "only tasks that were started longer ago, as in 7d"},
    {OPT_ALL, 'a', "all", NULL, "all tasks that have failed, timed out or been interrupted"},
    {OPT_QUIET, 'q', "quiet", NULL, "print the ids of the new tasks alone"},
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

const Option priority_options[] = {
    FILTER_OPTIONS,
    {OPT_ALL, 'a', "all", NULL, "all tasks that have not started"},
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

/* ---- cancel ---- */

static int cancel(sd_bus *bus, const Targets *t, uint32_t *ret) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r;

    if (t->ids)
        return client_change_tasks(bus, "Cancel", t->ids, t->n_ids, ret);
    r = filter_new_call(&t->filter, STATES_ACTIVE, bus, "CancelAll", &call);
    return r != 0 ? r : client_send_for_number(bus, call, ret);
}

int cmd_cancel(const Invocation *inv) {
    _cleanup_(targets_done) Targets t = {};
    _cleanup_bus_ sd_bus *bus = NULL;
    uint32_t accepted;
    int r;

    r = targets_parse(inv, 0, STATES_ACTIVE, &t);
    if (r == 0)
        r = client_connect(&bus);
    if (r == 0)
        r = cancel(bus, &t, &accepted);
    if (r != 0)
        return r;
    if (invocation_has(inv, OPT_JSON))
        return json_print_number("accepted", accepted);
    printf("Told to stop: %" PRIu32, accepted);
    if (t.ids && accepted != t.n_ids)
        printf(" of %zu; the others were not active any more", t.n_ids);
    putchar('\n');
    return EXIT_SUCCESS;
}

/* ---- retry ---- */

/* Without --state. What was cancelled somebody wanted so; what was skipped would not wait for the
 * other task another time. */
static void choose_states(const Invocation *inv, Targets *t) {
    static const TaskState failed[] = {TASK_FAILED, TASK_TIMED_OUT, TASK_INTERRUPTED};

    if (invocation_has(inv, OPT_STATE))
        return;
    memset(t->filter.states, 0, sizeof(t->filter.states));
    for (size_t i = 0; i < ELEMENTSOF(failed); i++)
        t->filter.states[failed[i]] = true;
}

static void add_started(cJSON *started, uint64_t id, uint64_t before) {
    cJSON *task = must(cJSON_CreateObject());

    cJSON_AddItemToObject(task, "id", json_new_u64(id));
    if (before > 0)
        cJSON_AddItemToObject(task, "retry-of", json_new_u64(before));
    cJSON_AddItemToArray(started, task);
}

static int retry_one(sd_bus *bus, uint64_t id, cJSON *started) {
    _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
    uint64_t again;
    int r;

    r = client_new_task_call(bus, id, "Retry", &call);
    if (r == 0)
        r = client_send(bus, call, 0, &reply);
    if (r < 0)
        return r;
    r = sd_bus_message_read(reply, "to", &again, NULL);
    if (r < 0)
        return client_report(NULL, r);
    add_started(started, again, id);
    return 0;
}

static int retry_all(sd_bus *bus, const Targets *t, cJSON *started) {
    _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
    const uint64_t *ids;
    size_t size;
    int r;

    r = filter_new_call(&t->filter, STATES_FINAL, bus, "RetryAll", &call);
    if (r == 0)
        r = client_send(bus, call, 0, &reply);
    if (r != 0)
        return r;
    r = sd_bus_message_read_array(reply, 't', (const void **)&ids, &size);
    if (r < 0)
        return client_report(NULL, r);
    for (size_t i = 0; i < size / sizeof(uint64_t); i++)
        add_started(started, ids[i], 0);
    return 0;
}

static void print_retries(const Invocation *inv, const cJSON *started) {
    bool quiet = invocation_has(inv, OPT_QUIET);
    const cJSON *task;

    if (invocation_has(inv, OPT_JSON)) {
        json_print(started);
        return;
    }
    cJSON_ArrayForEach (task, started) {
        uint64_t id = json_u64(task, "id"), before = json_u64(task, "retry-of");
        if (quiet)
            printf("%" PRIu64 "\n", id);
        else if (before > 0)
            printf("Started task %" PRIu64 ": task %" PRIu64 " again\n", id, before);
        else
            printf("Started task %" PRIu64 "\n", id);
    }
    if (!started->child && !quiet && inv->n_args == 0)
        puts("There are no such tasks.");
}

int cmd_retry(const Invocation *inv) {
    _cleanup_json_ cJSON *started = must(cJSON_CreateArray());
    _cleanup_(targets_done) Targets t = {};
    _cleanup_bus_ sd_bus *bus = NULL;
    int r, status = EXIT_SUCCESS;

    r = targets_parse(inv, 0, STATES_FINAL, &t);
    if (r == 0)
        r = client_connect(&bus);
    if (r == 0 && !t.ids) {
        choose_states(inv, &t);
        r = retry_all(bus, &t, started);
    }
    if (r != 0)
        return r;
    /* What cannot be done to one does not keep the others from it. */
    for (size_t i = 0; i < t.n_ids; i++)
        if (retry_one(bus, t.ids[i], started) < 0)
            status = EXIT_FAILURE;
    print_retries(inv, started);
    return status;
}

/* ---- priority ---- */

static int set_one(sd_bus *bus, uint64_t id, int32_t priority) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r = client_new_task_call(bus, id, "SetPriority", &call);

    if (r < 0)
        return r;
    r = sd_bus_message_append(call, "i", priority);
    return r < 0 ? client_report(NULL, r) : client_send(bus, call, 0, NULL);
}

static int set_all(sd_bus *bus, const Targets *t, int32_t priority, uint32_t *ret) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r = filter_new_call(&t->filter, STATES_PENDING, bus, "SetPriorityAll", &call);

    if (r != 0)
        return r;
    r = sd_bus_message_append(call, "i", priority);
    return r < 0 ? client_report(NULL, r) : client_send_for_number(bus, call, ret);
}

int cmd_priority(const Invocation *inv) {
    _cleanup_(targets_done) Targets t = {};
    _cleanup_bus_ sd_bus *bus = NULL;
    uint32_t changed = 0;
    int32_t priority;
    int r;

    r = task_options_parse_priority(inv->command, inv->args[0], &priority);
    if (r == 0)
        r = targets_parse(inv, 1, STATES_PENDING, &t);
    if (r == 0)
        r = client_connect(&bus);
    if (r == 0 && !t.ids)
        r = set_all(bus, &t, priority, &changed);
    if (r != 0)
        return r;
    for (size_t i = 0; i < t.n_ids; i++)
        changed += set_one(bus, t.ids[i], priority) >= 0;
    if (invocation_has(inv, OPT_JSON))
        json_print_number("changed", changed);
    else if (changed > 0 || !t.ids)
        printf("Changed: %" PRIu32 "\n", changed);
    return t.ids && changed < t.n_ids ? EXIT_FAILURE : EXIT_SUCCESS;
}
