#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"

/* longrun pause, resume: of tasks, which are named by a number, of groups, and of all groups. */

#define STARTING_POLL_USEC (20 * USEC_PER_MSEC)
#define STARTING_POLLS 250 /* 5 s */

const Option pause_options[] = {
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

const Option resume_options[] = {
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

/* One of the two. */
typedef struct Way {
    int (*change_task)(sd_bus *bus, uint64_t id);
    const char *member; /* of the manager, for groups */
    const char *key;    /* "paused" */
    const char *title;
    const char *effect; /* on a group */
} Way;

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

/* A group's name has a letter in it. */
static bool is_number(const char *word) {
    return word[strspn(word, "0123456789")] == '\0';
}

static int check_arguments(const Invocation *inv) {
    uint64_t id;

    for (size_t i = 0; i < inv->n_args; i++) {
        const char *word = inv->args[i];
        /* To the daemon, "" is every group. */
        if (isempty(word))
            return usage_error(inv->command, "\"\" is neither the id of a task nor a group");
        int r = is_number(word) ? parse_id(inv->command, word, &id) : text_check("group", word);
        if (r != 0)
            return r;
    }
    return 0;
}

static int change_group(sd_bus *bus, const Way *way, const char *group) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r = client_new_call(bus, way->member, &call);

    if (r < 0)
        return r;
    r = sd_bus_message_append_basic(call, 's', group);
    return r < 0 ? client_report(NULL, r) : client_send(bus, call, 0, NULL);
}

static int change_every_group(const Invocation *inv, sd_bus *bus, const Way *way) {
    _cleanup_json_ cJSON *info = NULL, *answer = must(cJSON_CreateObject());
    int r = change_group(bus, way, "");

    if (r < 0)
        return r;
    if (!invocation_has(inv, OPT_JSON)) {
        printf("%s every group: %s\n", way->title, way->effect);
        return EXIT_SUCCESS;
    }
    r = client_manager_properties(bus, &info);
    if (r < 0)
        return r;
    cJSON_AddNumberToObject(answer, way->key, 0);
    cJSON_AddItemToObject(answer, "groups",
                          cJSON_DetachItemFromObjectCaseSensitive(info, "groups")
                              ?: must(cJSON_CreateArray()));
    return json_print(answer);
}

static void print_done(const Invocation *inv, const Way *way, unsigned tasks, cJSON *groups) {
    _cleanup_json_ cJSON *answer = must(cJSON_CreateObject());
    const cJSON *group;

    if (invocation_has(inv, OPT_JSON)) {
        cJSON_AddNumberToObject(answer, way->key, tasks);
        if (groups->child)
            cJSON_AddItemToObject(answer, "groups", must(cJSON_Duplicate(groups, true)));
        json_print(answer);
        return;
    }
    if (tasks > 0)
        printf("%s: %u\n", way->title, tasks);
    cJSON_ArrayForEach (group, groups)
        printf("%s group %s: %s\n", way->title, group->valuestring, way->effect);
}

/* What cannot be done to one does not keep the others from it. */
static int change_named(const Invocation *inv, sd_bus *bus, const Way *way) {
    _cleanup_json_ cJSON *groups = must(cJSON_CreateArray());
    unsigned tasks = 0;

    for (size_t i = 0; i < inv->n_args; i++) {
        const char *word = inv->args[i];
        if (!is_number(word)) {
            if (change_group(bus, way, word) >= 0)
                cJSON_AddItemToArray(groups, must(cJSON_CreateString(word)));
            continue;
        }
        uint64_t id = strtoull(word, NULL, 10);
        tasks += way->change_task(bus, id) >= 0;
    }
    print_done(inv, way, tasks, groups);
    return tasks + (size_t)cJSON_GetArraySize(groups) == inv->n_args ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int change(const Invocation *inv, const Way *way) {
    _cleanup_bus_ sd_bus *bus = NULL;
    int r = check_arguments(inv);

    if (r == 0)
        r = client_connect(&bus);
    if (r != 0)
        return r;
    return inv->n_args == 0 ? change_every_group(inv, bus, way) : change_named(inv, bus, way);
}

int cmd_pause(const Invocation *inv) {
    static const Way way = {pause_task, "Pause", "paused", "Paused",
                            "nothing more is started; what runs goes on"};

    return change(inv, &way);
}

int cmd_resume(const Invocation *inv) {
    static const Way way = {resume_task, "Resume", "resumed", "Resumed",
                            "tasks are taken in and started again"};

    return change(inv, &way);
}
