#include <inttypes.h>
#include <stdio.h>

#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"
#include "client-cli/table.h"
#include "common/parse.h"

/* longrun resource list, set, remove */

static const Option resource_options[] = {
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

static int print_resources(sd_bus_message *reply, bool as_json) {
    static const Column columns[] = {{"RESOURCE", false}, {"USED", true}, {"CAPACITY", true}};
    _cleanup_json_ cJSON *list = must(cJSON_CreateArray());
    Table table = TABLE_INIT(columns);
    uint32_t capacity, used;
    const char *name;
    char number[16];
    int r;

    r = sd_bus_message_enter_container(reply, 'a', "(suu)");
    while (r >= 0 && (r = sd_bus_message_read(reply, "(suu)", &name, &capacity, &used)) > 0) {
        cJSON *resource = must(cJSON_CreateObject());
        cJSON_AddStringToObject(resource, "name", name);
        cJSON_AddNumberToObject(resource, "capacity", capacity);
        cJSON_AddNumberToObject(resource, "used", used);
        cJSON_AddItemToArray(list, resource);
        table_add(&table, name, COLOUR_BOLD);
        snprintf(number, sizeof(number), "%" PRIu32, used);
        table_add(&table, number, NULL);
        snprintf(number, sizeof(number), "%" PRIu32, capacity);
        table_add(&table, number, NULL);
    }
    if (r < 0)
        client_report(NULL, r);
    else if (as_json)
        json_print(list);
    else if (list->child)
        table_print(&table);
    else
        puts("There are no resources; \"longrun resource set NAME N\" makes one.");
    table_done(&table);
    return r;
}

static int cmd_resource_list(const Invocation *inv) {
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_message_ sd_bus_message *reply = NULL;
    int r;

    r = client_connect(&bus);
    if (r == 0)
        r = client_call_manager(bus, &reply, "ListResources", NULL);
    return r < 0 ? r : print_resources(reply, invocation_has(inv, OPT_JSON));
}

static int configure(const char *name, uint32_t capacity) {
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_message_ sd_bus_message *call = NULL;
    int r;

    r = text_check("the name", name);
    if (r == 0)
        r = client_connect(&bus);
    if (r == 0)
        r = client_new_call(bus, "ConfigureResource", &call);
    if (r != 0)
        return r;
    r = sd_bus_message_append(call, "su", name, capacity);
    return r < 0 ? client_report(NULL, r) : client_send(bus, call, 0, NULL);
}

static int report(const Invocation *inv, uint32_t capacity) {
    _cleanup_json_ cJSON *object = must(cJSON_CreateObject());

    if (invocation_has(inv, OPT_JSON)) {
        cJSON_AddStringToObject(object, "name", inv->args[0]);
        cJSON_AddNumberToObject(object, "capacity", capacity);
        return json_print(object);
    }
    if (capacity > 0)
        printf("Resource %s: %" PRIu32 "\n", inv->args[0], capacity);
    else
        printf("Removed resource %s\n", inv->args[0]);
    return EXIT_SUCCESS;
}

static int cmd_resource_set(const Invocation *inv) {
    uint32_t capacity;
    int r;

    if (parse_u32(inv->args[1], &capacity) < 0 || capacity == 0)
        return usage_error(inv->command,
                           "\"%s\" is no number of tokens: it must be at least 1. To take a "
                           "resource away: longrun resource remove %s",
                           inv->args[1], inv->args[0]);
    r = configure(inv->args[0], capacity);
    return r != 0 ? r : report(inv, capacity);
}

static int cmd_resource_remove(const Invocation *inv) {
    int r = configure(inv->args[0], 0);

    return r != 0 ? r : report(inv, 0);
}

/* clang-format off */
const Command resource_commands[] = {
    {"resource list", "", 0, 0,
     "show the resources, and how many tokens of each are in use", resource_options, NULL, false, cmd_resource_list},
    {"resource set", "NAME N", 2, 2,
     "let there be N tokens of a resource", resource_options,
     "Tasks claim them: longrun start --resource NAME=1 … A lower number ends no task.",
     false, cmd_resource_set},
    {"resource remove", "NAME", 1, 1,
     "take a resource away", resource_options, NULL, false, cmd_resource_remove},
    {},
};
/* clang-format on */
