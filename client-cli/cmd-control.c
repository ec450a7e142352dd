#include <inttypes.h>
#include <stdio.h>

#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"

/* longrun wait, remove, result */

const Option wait_options[] = {
    {OPT_QUIET, 'q', "quiet", NULL, "print nothing"},
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

const Option remove_options[] = {
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

const Option result_options[] = {
    OPTIONS_END,
};

int print_removed(const Invocation *inv, uint32_t removed) {
    if (invocation_has(inv, OPT_JSON))
        return json_print_number("removed", removed);
    printf("Removed: %" PRIu32 "\n", removed);
    return EXIT_SUCCESS;
}

int cmd_remove(const Invocation *inv) {
    _cleanup_free_ uint64_t *ids = invocation_ids(inv);
    _cleanup_bus_ sd_bus *bus = NULL;
    uint32_t removed;
    int r;

    if (!ids)
        return EXIT_USAGE;
    r = client_connect(&bus);
    if (r == 0)
        r = client_change_tasks(bus, "RemoveTasks", ids, inv->n_args, &removed);
    return r != 0 ? r : print_removed(inv, removed);
}

static void print_ends_json(const TaskEnd *ends, size_t n) {
    _cleanup_json_ cJSON *list = must(cJSON_CreateArray());

    for (size_t i = 0; i < n; i++) {
        cJSON *end = must(cJSON_CreateObject());
        cJSON_AddItemToObject(end, "id", json_new_u64(ends[i].id));
        cJSON_AddStringToObject(end, "state", ends[i].state);
        cJSON_AddNumberToObject(end, "exit-code", ends[i].code);
        cJSON_AddItemToArray(list, end);
    }
    json_print(list);
}

static void print_end(const TaskEnd *end) {
    const char *colour = output_has_colour() ? state_colour(end->state) : "";

    printf("Task %" PRIu64 " %s%s%s", end->id, colour, end->state, colour[0] ? COLOUR_OFF : "");
    if (end->code > 0)
        printf(", exit code %" PRIi32, end->code);
    putchar('\n');
}

int cmd_wait(const Invocation *inv) {
    _cleanup_free_ uint64_t *ids = invocation_ids(inv);
    _cleanup_free_ TaskEnd *ends = must(calloc(inv->n_args, sizeof(TaskEnd)));
    _cleanup_bus_ sd_bus *bus = NULL;
    int status = EXIT_SUCCESS, r;

    if (!ids)
        return EXIT_USAGE;
    r = client_connect(&bus);
    if (r < 0)
        return r;
    r = client_wait(bus, ids, inv->n_args, ends);
    if (r < 0)
        return r;
    if (invocation_has(inv, OPT_JSON))
        print_ends_json(ends, inv->n_args);
    for (size_t i = 0; i < inv->n_args; i++) {
        if (!invocation_has(inv, OPT_JSON) && !invocation_has(inv, OPT_QUIET))
            print_end(&ends[i]);
        status = status ?: client_exit_status(&ends[i]);
    }
    return status;
}

int cmd_result(const Invocation *inv) {
    _cleanup_free_ uint64_t *ids = invocation_ids(inv);
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_message_ sd_bus_message *reply = NULL;
    const char *result;
    int r;

    if (!ids)
        return EXIT_USAGE;
    r = client_connect(&bus);
    if (r < 0)
        return r;
    r = client_call_task(bus, ids[0], &reply, "TakeResult", NULL);
    if (r < 0)
        return r;
    r = sd_bus_message_read(reply, "s", &result);
    if (r < 0)
        return client_report(NULL, r);
    puts(result);
    return EXIT_SUCCESS;
}
