#include <inttypes.h>
#include <stdio.h>

#include "client-cli/append.h"
#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"
#include "client-cli/table.h"
#include "client-cli/task-options.h"

/* longrun group list, add, set, remove, drain */

/* clang-format off */
#define GROUP_OPTIONS                                                                              \
    {OPT_MAX_PARALLEL, 'p', "max-parallel", "N", "tasks that run at a time; 0 = as many as of all groups"}, \
    {OPT_MAX_QUEUED, 0, "max-queued", "N", "tasks that may wait; 0 = as many as of all groups"},   \
    {OPT_JSON, 'j', "json", NULL, "print JSON"},                                                   \
    TERMINAL_OPTIONS,                                                                              \
    DEFAULTS_OPTIONS

static const Option list_group_options[] = {
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

static const Option add_group_options[] = {
    GROUP_OPTIONS,
    OPTIONS_END,
};

static const Option set_group_options[] = {
    {OPT_UNSET, 0, "unset", "OPTION", "take the default of this option away; may be given several times"},
    GROUP_OPTIONS,
    OPTIONS_END,
};
/* clang-format on */

/* ---- list ---- */

static void add_number(Table *table, uint64_t n, uint64_t max) {
    char text[64];

    snprintf(text, sizeof(text), max > 0 ? "%" PRIu64 "/%" PRIu64 : "%" PRIu64, n, max);
    table_add(table, text, NULL);
}

static const char *group_state(const cJSON *group) {
    bool paused = json_is_true(group, "paused"), draining = json_is_true(group, "draining");

    if (paused)
        return draining ? "paused, draining" : "paused";
    return draining ? "draining" : "open";
}

/* "retries 3, timeout 1h 0min" */
static char *describe_defaults(const cJSON *group) {
    const cJSON *value;
    char *text = NULL;
    size_t size;
    FILE *f = must(open_memstream(&text, &size));

    cJSON_ArrayForEach (value, cJSON_GetObjectItemCaseSensitive(group, "defaults")) {
        _cleanup_free_ char *shown = task_options_format(value->string, value);
        fprintf(f, "%s%s %s", ftell(f) > 0 ? ", " : "", value->string, *shown ? shown : "none");
    }
    fclose(f);
    return must(text);
}

static void add_group(Table *table, const cJSON *group) {
    const char *state = group_state(group);
    _cleanup_free_ char *defaults = describe_defaults(group);

    table_add(table, json_string(group, "name"), COLOUR_BOLD);
    table_add(table, state, streq(state, "open") ? NULL : state_colour("paused"));
    add_number(table, json_u64(group, "running"), json_u64(group, "max-parallel"));
    add_number(table, json_u64(group, "queued"), json_u64(group, "max-queued"));
    add_number(table, json_u64(group, "waiting"), 0);
    add_number(table, json_u64(group, "succeeded"), 0);
    add_number(table, json_u64(group, "failed"), 0);
    table_add(table, defaults, NULL);
}

static void print_groups(const cJSON *groups) {
    static const Column columns[] = {{"GROUP", false}, {"STATE", false},   {"RUNNING", true},
                                     {"QUEUED", true}, {"WAITING", true},  {"SUCCEEDED", true},
                                     {"FAILED", true}, {"DEFAULTS", false}};
    Table table = TABLE_INIT(columns);
    const cJSON *group;

    cJSON_ArrayForEach (group, groups)
        add_group(&table, group);
    table_print(&table);
    table_done(&table);
}

static int list_groups(sd_bus *bus, cJSON **ret) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    int r;

    r = client_call_manager(bus, &reply, "ListGroups", NULL);
    if (r < 0)
        return r;
    r = json_read_bus(reply, ret);
    return r < 0 ? client_report(NULL, r) : 0;
}

static int cmd_group_list(const Invocation *inv) {
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_json_ cJSON *groups = NULL;
    int r;

    r = client_connect(&bus);
    if (r == 0)
        r = list_groups(bus, &groups);
    if (r < 0)
        return r;
    if (invocation_has(inv, OPT_JSON))
        return json_print(groups);
    print_groups(groups);
    return EXIT_SUCCESS;
}

/* ---- changes ---- */

static int report(const Invocation *inv, const char *title, const char *effect) {
    _cleanup_json_ cJSON *object = must(cJSON_CreateObject());

    if (!invocation_has(inv, OPT_JSON)) {
        printf("%s group %s%s\n", title, inv->args[0], effect);
        return EXIT_SUCCESS;
    }
    cJSON_AddStringToObject(object, "name", inv->args[0]);
    return json_print(object);
}

/* Whether there is such a group. 0 or 1, or -errno after a message. */
static int is_there(sd_bus *bus, const char *name) {
    _cleanup_json_ cJSON *groups = NULL;
    const cJSON *group;
    int r = list_groups(bus, &groups);

    if (r < 0)
        return r;
    cJSON_ArrayForEach (group, groups)
        if (streq(json_string(group, "name"), name))
            return 1;
    return 0;
}

/* ConfigureGroup() does both; people who mistype a name want neither. */
static int check_there(sd_bus *bus, const char *name, bool wanted) {
    int r = is_there(bus, name);

    if (r < 0 || r == wanted)
        return r < 0 ? r : 0;
    return wanted ? print_error("there is no group \"%s\"; \"longrun group add\" makes it", name)
                  : print_error("there is a group \"%s\" already; \"longrun group set\" changes it",
                                name);
}

/* The option of the word, without the dashes or with them. */
static const char *find_default(const Command *command, const char *word) {
    if (strncmp(word, "--", 2) == 0)
        word += 2;
    for (const Option *o = command->options; o->name; o++) {
        const char *key = task_options_key(o->id);
        if (key && (streq(o->name, word) || streq(key, word)))
            return key;
    }
    return NULL;
}

static int append_unset(const Invocation *inv, sd_bus_message *call) {
    _cleanup_free_ const char **keys = must(calloc(inv->n_options + 1, sizeof(char *)));
    size_t n = 0;

    for (size_t i = 0; i < inv->n_options; i++) {
        const char *word = inv->options[i].value;
        if (inv->options[i].id != OPT_UNSET)
            continue;
        keys[n] = find_default(inv->command, word);
        if (!keys[n++])
            return usage_error(inv->command, "--unset: a group has no default of \"%s\"", word);
    }
    return n > 0 ? append_strings(call, "unset", keys) : 0;
}

static int append_max(const Invocation *inv, OptionId id, sd_bus_message *call) {
    uint32_t max = 0;
    int r = invocation_u32(inv, id, &max);

    if (r != 0 || !invocation_has(inv, id))
        return r;
    return append_u32(call, option_name(inv->command, id), max);
}

static int append_properties(const Invocation *inv, sd_bus_message *call) {
    int r = append_open(call);

    if (r == 0)
        r = append_max(inv, OPT_MAX_PARALLEL, call);
    if (r == 0)
        r = append_max(inv, OPT_MAX_QUEUED, call);
    if (r == 0)
        r = append_unset(inv, call);
    if (r == 0)
        r = task_options_append(inv, call);
    return r != 0 ? r : append_close(call);
}

static int append_name(const Invocation *inv, sd_bus_message *call) {
    int r = text_check("the name", inv->args[0]);

    if (r != 0)
        return r;
    r = sd_bus_message_append_basic(call, 's', inv->args[0]);
    return r < 0 ? client_report(NULL, r) : 0;
}

static int configure(const Invocation *inv, bool exists) {
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_message_ sd_bus_message *call = NULL;
    int r;

    r = client_connect(&bus);
    if (r == 0)
        r = client_new_call(bus, "ConfigureGroup", &call);
    if (r == 0)
        r = append_name(inv, call);
    if (r == 0)
        r = append_properties(inv, call);
    if (r == 0)
        r = check_there(bus, inv->args[0], exists);
    return r != 0 ? r : client_send(bus, call, 0, NULL);
}

static int cmd_group_add(const Invocation *inv) {
    int r = configure(inv, false);

    return r != 0 ? r : report(inv, "Added", "");
}

static int cmd_group_set(const Invocation *inv) {
    if (inv->n_options == (size_t)invocation_has(inv, OPT_JSON))
        return usage_error(inv->command, "what is to be set? See its options");
    int r = configure(inv, true);
    return r != 0 ? r : report(inv, "Changed", "");
}

static int call_with_name(const Invocation *inv, const char *member) {
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_message_ sd_bus_message *call = NULL;
    int r;

    r = client_connect(&bus);
    if (r == 0)
        r = client_new_call(bus, member, &call);
    if (r == 0)
        r = append_name(inv, call);
    return r != 0 ? r : client_send(bus, call, 0, NULL);
}

static int cmd_group_remove(const Invocation *inv) {
    int r = call_with_name(inv, "RemoveGroup");

    return r != 0 ? r : report(inv, "Removed", "");
}

static int cmd_group_drain(const Invocation *inv) {
    int r = call_with_name(inv, "Drain");

    return r != 0
               ? r
               : report(inv, "Draining",
                        ": it takes no new tasks, and runs those that it has. \"longrun resume\" "
                        "ends that");
}

/* clang-format off */
const Command group_commands[] = {
    {"group list", "", 0, 0,
     "show the groups: what runs and waits in each, and how its tasks have ended",
     list_group_options,
     "RUNNING and QUEUED are of at most as many as stand behind the slash. SUCCEEDED and FAILED, which\n"
     "is any other end, count since the group was last without active tasks. In JSON, an array.",
     false, cmd_group_list},
    {"group add", "NAME [OPTIONS]", 1, 1,
     "make a group", add_group_options,
     "Options of tasks are defaults: of tasks of this group that do not name the option themselves.\n"
     "As in: longrun group add encode --max-parallel 2 --nice 10 --retries 1", false, cmd_group_add},
    {"group set", "NAME [OPTIONS]", 1, 1,
     "change a group", set_group_options,
     "What is not named stays as it is. Tasks that are there already keep the options that they have.",
     false, cmd_group_set},
    {"group remove", "NAME", 1, 1,
     "remove a group without active tasks", list_group_options, NULL, false, cmd_group_remove},
    {"group drain", "NAME", 1, 1,
     "take nothing more into a group, and run what it has", list_group_options,
     "\"longrun resume NAME\" ends that.", false, cmd_group_drain},
    {},
};
/* clang-format on */
