#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"

/* longrun cancel, pause, resume, wait, remove, result */

const Option cancel_options[] = {
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

const Option pause_options[] = {
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

const Option resume_options[] = {
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

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

/* Calls a method of the manager that takes ids and gives a number. */
static int call_with_ids(const Invocation *inv, const char *member, uint32_t *ret) {
    _cleanup_free_ uint64_t *ids = invocation_ids(inv);
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
    int r;

    if (!ids)
        return EXIT_USAGE;
    r = client_connect(&bus);
    if (r < 0)
        return r;
    r = client_new_call(bus, member, &call);
    if (r < 0)
        return r;
    r = sd_bus_message_append_array(call, 't', ids, inv->n_args * sizeof(uint64_t));
    if (r < 0)
        return client_report(NULL, r);
    r = client_send(bus, call, 0, &reply);
    if (r < 0)
        return r;
    r = sd_bus_message_read(reply, "u", ret);
    return r < 0 ? client_report(NULL, r) : 0;
}

static int print_number(const char *key, uint32_t n) {
    _cleanup_json_ cJSON *object = must(cJSON_CreateObject());

    cJSON_AddNumberToObject(object, key, n);
    return json_print(object);
}

int cmd_cancel(const Invocation *inv) {
    uint32_t accepted;
    int r = call_with_ids(inv, "Cancel", &accepted);

    if (r != 0)
        return r;
    if (invocation_has(inv, OPT_JSON))
        return print_number("accepted", accepted);
    if (accepted == inv->n_args)
        printf("Told to stop: %" PRIu32 "\n", accepted);
    else
        printf("Told to stop: %" PRIu32 " of %zu; the others were not active any more\n", accepted,
               inv->n_args);
    return EXIT_SUCCESS;
}

/* Calls a method of each task. What cannot be done to one does not keep the others from it. */
static int call_each(const Invocation *inv, const char *member, const char *key,
                     const char *title) {
    _cleanup_free_ uint64_t *ids = invocation_ids(inv);
    _cleanup_bus_ sd_bus *bus = NULL;
    uint32_t done = 0;
    int r;

    if (!ids)
        return EXIT_USAGE;
    r = client_connect(&bus);
    if (r < 0)
        return r;
    for (size_t i = 0; i < inv->n_args; i++)
        done += client_change_task(bus, ids[i], member) >= 0;
    if (invocation_has(inv, OPT_JSON))
        print_number(key, done);
    else if (done > 0)
        printf("%s: %" PRIu32 "\n", title, done);
    return done == inv->n_args ? EXIT_SUCCESS : EXIT_FAILURE;
}

int cmd_pause(const Invocation *inv) {
    return call_each(inv, "Pause", "paused", "Paused");
}

int cmd_resume(const Invocation *inv) {
    return call_each(inv, "Resume", "resumed", "Resumed");
}

int print_removed(const Invocation *inv, uint32_t removed) {
    if (invocation_has(inv, OPT_JSON))
        return print_number("removed", removed);
    printf("Removed: %" PRIu32 "\n", removed);
    return EXIT_SUCCESS;
}

int cmd_remove(const Invocation *inv) {
    uint32_t removed;
    int r = call_with_ids(inv, "RemoveTasks", &removed);

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
