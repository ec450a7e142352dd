#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"

/* longrun cancel, pause, resume, wait, remove, result */

#define STARTING_POLL_USEC (20 * USEC_PER_MSEC)
#define STARTING_POLLS 250 /* 5 s */

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

/* Whether the task has its slot, and not its process yet. Errors are for the call that follows. */
static bool is_starting(sd_bus *bus, uint64_t id) {
    _cleanup_free_ char *state = NULL;
    char path[CLIENT_PATH_MAX];

    return sd_bus_get_property_string(bus, CLIENT_NAME, client_task_path(path, id), CLIENT_TASK,
                                      "State", NULL, &state) >= 0 &&
           streq(state, "starting");
}

/* There is nothing to stop in a task that is about to begin. That does not last, but may take the
 * disk a moment: whoever has just started it need not know. */
static int pause_task(sd_bus *bus, uint64_t id) {
    for (unsigned i = 0; i < STARTING_POLLS && is_starting(bus, id); i++)
        usleep(STARTING_POLL_USEC);
    return client_change_task(bus, id, "Pause");
}

static int resume_task(sd_bus *bus, uint64_t id) {
    return client_change_task(bus, id, "Resume");
}

/* Does something to each task. What cannot be done to one does not keep the others from it. */
static int change_each(const Invocation *inv, int (*change)(sd_bus *bus, uint64_t id),
                       const char *key, const char *title) {
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
        done += change(bus, ids[i]) >= 0;
    if (invocation_has(inv, OPT_JSON))
        print_number(key, done);
    else if (done > 0)
        printf("%s: %" PRIu32 "\n", title, done);
    return done == inv->n_args ? EXIT_SUCCESS : EXIT_FAILURE;
}

int cmd_pause(const Invocation *inv) {
    return change_each(inv, pause_task, "paused", "Paused");
}

int cmd_resume(const Invocation *inv) {
    return change_each(inv, resume_task, "resumed", "Resumed");
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
